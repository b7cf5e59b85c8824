from datetime import UTC, datetime

import pytest

from registry.audit.facts import code_of
from registry.audit.images import judge_all, judge_some
from registry.audit.known import Known
from registry.models import Image
from tests.factories import (
    LATER,
    NOON,
    make_account,
    make_image,
    make_instance,
    make_snapshot,
    make_volume,
)

pytestmark = pytest.mark.django_db
RHEL = "RunInstances:0010"


def rules(verdicts, image):
    return [violation.rule for violation in verdicts.images[image.pk].violations]


def judge(*images, at=NOON):
    verdicts = judge_all(Known.load(), at=at)
    for image in images:
        image.refresh_from_db()
    return verdicts


def test_a_judgment_is_written_whole():
    image = make_image(declared=RHEL)

    verdicts = judge(image)

    assert rules(verdicts, image) == ["AMI001"]
    assert image.verdict == "lost"
    assert image.expected_usage_operation == RHEL
    assert image.expected_platform == "Red Hat Enterprise Linux"
    assert (image.confidence, image.source) == ("strong", "declared")
    assert (image.missing, image.unexpected) == (["RHEL"], [])
    assert image.evidence[0]["source"] == "declared"
    assert image.lineage[-1]["aws_id"] == image.aws_id
    assert image.judged_at == NOON


def test_what_aws_said_is_not_touched():
    image = make_image(declared=RHEL)
    before = Image.objects.values("name", "usage_operation", "digest", "last_seen_at").get()

    judge(image)

    assert Image.objects.values(*before).get() == before


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({"declared": RHEL, "usage_operation": RHEL}, "ok"),
        ({"declared": RHEL, "usage_operation": ""}, "lost"),
        ({"declared": "RunInstances:0006", "usage_operation": "RunInstances:0002"}, "partial"),
        ({"declared": "RunInstances", "usage_operation": RHEL}, "unexpected"),
        ({"declared": RHEL, "usage_operation": "RunInstances:000g"}, "wrong"),
        ({"declared": RHEL, "usage_operation": None, "platform_details": None}, "unknown"),
        ({"name": "no evidence"}, "unknown"),
        ({"name": "RHEL-9.4", "usage_operation": "RunInstances"}, "lost"),
        (
            {
                "name": "RHEL-9.4",
                "usage_operation": "RunInstances",
                "owner_alias": "aws-marketplace",
            },
            "unknown",
        ),
        (
            {
                "declared": RHEL,
                "product_codes": [{"id": "6cd5fxzrad0cu2j23p692xytz", "type": "marketplace"}],
            },
            "excused",
        ),
        (
            {"declared": RHEL, "product_codes": [{"id": "abc", "type": "devpay"}]},
            "lost",
        ),
        (
            {
                "declared": RHEL,
                "product_codes": [{"id": "6cd5fxzrad0cu2j23p692xytz", "type": ""}],
            },
            "excused",
        ),
    ],
    ids=[
        "ok",
        "lost",
        "partial",
        "unexpected",
        "wrong",
        "old",
        "none",
        "name",
        "seller",
        "excused",
        "devpay",
        "untyped",
    ],
)
def test_a_verdict_compares_what_is_with_what_should_be(fields, verdict):
    image = make_image(**fields)

    judge(image)

    assert image.verdict == verdict


def test_an_image_is_judged_by_where_it_came_from():
    machine = make_instance(
        usage_operation=RHEL, root_device_name="/dev/sda1", volumes={"/dev/sda1": "vol-root"}
    )
    make_volume(aws_id="vol-root", attachments=[])
    make_snapshot(aws_id="snap-root", volume_id="vol-root")
    image = make_image(root_snapshot_id="snap-root")

    verdicts = judge(image)

    assert (image.verdict, image.source) == ("lost", "instance")
    (violation,) = verdicts.images[image.pk].violations
    assert machine.aws_id in violation.remedy[0]


SOLD = [{"id": "a-product", "type": "marketplace"}]


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({"product_codes": SOLD}, "lost"),
        ({"product_codes": SOLD, "gone_at": NOON}, "lost"),
        ({"product_codes": [{"id": "another", "type": "marketplace"}]}, "excused"),
        ({"product_codes": []}, "excused"),
        ({"product_codes": SOLD, "usage_operation": "RunInstances"}, "excused"),
    ],
    ids=["the same product", "gone", "another product", "no product", "plain itself"],
)
@pytest.mark.parametrize("load", [lambda _: Known.load(), Known.of], ids=["all", "few"])
def test_a_product_code_excuses_no_licence_that_its_instance_has_beside_it(fields, verdict, load):
    machine = make_instance(**{"usage_operation": RHEL} | fields)
    image = make_image(source_instance_id=machine.aws_id, product_codes=SOLD, declared=RHEL)

    judge_some([image.pk], load([image.aws_id]), at=NOON)

    image.refresh_from_db()
    assert image.verdict == verdict


def test_the_products_of_all_instances_are_read_once(django_assert_num_queries):
    account = make_account()
    for _ in range(3):
        machine = make_instance(account=account, usage_operation=RHEL, product_codes=SOLD)
        make_image(account=account, source_instance_id=machine.aws_id, product_codes=SOLD)

    with django_assert_num_queries(15):  # three of them begin, lock, and end a savepoint
        judge_all(Known.load(), at=NOON)


@pytest.mark.parametrize(
    ("permissions", "is_shared"),
    [
        pytest.param(None, False, id="not read"),
        pytest.param([], False, id="nobody"),
        pytest.param([{"UserId": "111111111111"}], False, id="its owner"),
        pytest.param([{"UserId": "111111111111"}, {"UserId": "222222222222"}], True, id="another"),
        pytest.param([{"Group": "all"}], True, id="everybody"),
        pytest.param([{"OrganizationArn": "arn:aws:organizations::1:organization/o-1"}], True),
    ],
)
def test_a_product_is_shared_with_others_than_its_owner(permissions, is_shared):
    image = make_image(owner_id="111111111111", product_codes=SOLD, launch_permissions=permissions)

    assert rules(judge(), image) == (["AMI015"] if is_shared else [])


def test_an_instance_that_is_gone_tells_still_but_is_no_remedy():
    machine = make_instance(usage_operation=RHEL, gone_at=NOON)
    image = make_image(source_instance_id=machine.aws_id)

    verdicts = judge(image)

    assert image.verdict == "lost"
    (violation,) = verdicts.images[image.pk].violations
    assert machine.aws_id not in violation.remedy[0]


def test_only_present_and_running_instances_count():
    quiet, busy = make_image(declared=RHEL), make_image(declared=RHEL)
    make_instance(image_id=busy.aws_id)
    make_instance(image_id=quiet.aws_id, state="stopped")
    make_instance(image_id=quiet.aws_id, gone_at=NOON)

    verdicts = judge()

    assert [verdicts.images[image.pk].running for image in (quiet, busy)] == [0, 1]


def test_what_is_gone_is_not_judged():
    image = make_image(declared=RHEL, gone_at=NOON)

    verdicts = judge(image)

    assert verdicts.images == {}
    assert image.verdict == ""


def test_the_same_judgment_is_not_written_again():
    image = make_image(declared=RHEL)
    judge(image)

    verdicts = judge(image, at=LATER)

    assert verdicts.changed == 0
    assert image.judged_at == NOON


def test_a_judgment_that_differs_is_written():
    image = make_image(declared=RHEL)
    judge(image)
    Image.objects.update(usage_operation=RHEL)

    verdicts = judge(image, at=LATER)

    assert verdicts.changed == 1
    assert image.verdict == "ok"


def test_what_appears_while_all_are_judged_waits_for_the_next_time():
    known = Known.load()
    image = make_image(declared=RHEL)

    verdicts = judge_all(known, at=NOON)

    assert verdicts.images == {}
    image.refresh_from_db()
    assert image.verdict == ""


def test_some_are_judged_alone():
    one, other = make_image(declared=RHEL), make_image(declared=RHEL)

    verdicts = judge_some([one.pk], Known.load(), at=NOON)

    other.refresh_from_db()
    assert list(verdicts.images) == [one.pk]
    assert other.verdict == ""
    assert other.judged_at is None


def grow(account, number):
    """Make images that lost the code of the instance whose root volume they are made of."""
    images = []
    for _ in range(number):
        image = make_image(account=account)
        instance = make_instance(
            account=account,
            image_id=image.aws_id,
            usage_operation=RHEL,
            root_device_name="/dev/sda1",
            volumes={"/dev/sda1": f"vol-of-{image.aws_id}"},
        )
        volume = make_volume(account=account, aws_id=instance.volumes["/dev/sda1"])
        snapshot = make_snapshot(account=account, volume_id=volume.aws_id)
        image.root_snapshot_id = snapshot.aws_id
        image.save()
        images.append(image)
    return images


def judgments():
    return list(Image.objects.order_by("pk").values("aws_id", "verdict", "evidence", "lineage"))


@pytest.mark.parametrize("number", [1, 3])
def test_few_are_judged_as_they_are_among_all(number):
    images = grow(make_account(), number)
    few = judge_some(
        [image.pk for image in images], Known.of([image.aws_id for image in images]), at=NOON
    )
    judged = judgments()

    every = judge_all(Known.load(), at=LATER)

    assert every.changed == 0
    assert few.images == every.images
    assert judged == judgments()
    assert {row["verdict"] for row in judged} == {"lost"}
    assert {one.running for one in few.images.values()} == {1}


@pytest.mark.parametrize("others", [0, 100])
def test_few_are_judged_in_as_many_queries_in_a_mirror_of_any_size(
    others, django_assert_num_queries
):
    account = make_account()
    (image,) = grow(account, 1)
    grow(account, others)

    # The patterns and the running instances; the image, its snapshot, its volume, its instance;
    # what else has its root snapshot, and our registrations of either; the row, its update and its
    # history; and three that begin, lock and end a savepoint.
    with django_assert_num_queries(16):
        judge_some([image.pk], Known.of([image.aws_id]), at=NOON)


@pytest.mark.parametrize("number", [2, 20])
def test_any_number_is_judged_in_as_many_queries(number, django_assert_num_queries):
    account = make_account()
    images = grow(account, number)
    for image in grow(account, number):
        copy = make_image(account=account, source_image_id=image.aws_id, root_snapshot_id="snap-9")
        images.append(copy)
    keys, ids = zip(*((image.pk, image.aws_id) for image in images), strict=True)

    with django_assert_num_queries(25):
        judge_some(keys, Known.of(ids), at=NOON)


def test_of_few_no_others_are_read():
    account = make_account()
    image, *_ = grow(account, 3)

    known = Known.of([image.aws_id])
    judge_some([image.pk], known, at=NOON)

    assert list(known.inventory.images) == [image.aws_id]
    assert known.running == {image.aws_id: 1}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"usage_operation": RHEL, "platform_details": "Windows"}, RHEL),
        ({"usage_operation": "", "platform_details": ""}, ""),
        ({"usage_operation": None, "platform_details": "Windows"}, "RunInstances:0002"),
        ({"usage_operation": None, "platform_details": "Something new"}, None),
        ({"usage_operation": None, "platform_details": None}, None),
    ],
)
def test_the_code_decides_and_else_the_details(fields, code):
    assert code_of(make_image(**fields)) == code


@pytest.mark.parametrize("count", [1, 30])
def test_the_number_of_queries_does_not_grow(count, django_assert_num_queries):
    account = make_account()
    for _ in range(count):
        image = make_image(account=account, declared=RHEL)
        make_instance(account=account, image_id=image.aws_id)
        make_snapshot(account=account)
        make_volume(account=account)

    with django_assert_num_queries(14):  # three of them begin, lock, and end a savepoint
        judge_all(Known.load(), at=NOON)


@pytest.mark.parametrize("state", ["pending", "failed", "error", "invalid"])
def test_an_image_that_aws_has_not_finished_is_not_condemned(state):
    image = make_image(state=state, declared=RHEL, usage_operation="", platform_details="")

    verdicts = judge(image)

    assert image.verdict == "unknown"
    assert rules(verdicts, image) == []


def test_a_conversion_after_the_snapshot_is_no_loss():
    instance = make_instance(
        usage_operation="RunInstances:0g00",
        usage_operation_updated_at=LATER,
        root_device_name="/dev/sda1",
        volumes={"/dev/sda1": "vol-root"},
    )
    snapshot = make_snapshot(volume_id="vol-root", started_at=NOON, account=instance.account)
    image = make_image(
        root_snapshot_id=snapshot.aws_id,
        created_at=datetime(2026, 12, 1, tzinfo=UTC),
        account=instance.account,
    )

    judge(image)

    assert image.verdict != "lost"


@pytest.mark.parametrize(("changed_at", "verdict"), [(None, "unknown"), (NOON, "wrong")])
def test_a_conversion_of_which_no_time_is_known_is_no_mistake(changed_at, verdict):
    instance = make_instance(
        usage_operation="RunInstances:0800", usage_operation_updated_at=changed_at
    )
    image = make_image(
        source_instance_id=instance.aws_id,
        usage_operation="RunInstances:0002",
        account=instance.account,
        created_at=LATER,
    )

    judge(image)

    assert image.verdict == verdict


def test_an_old_recording_with_texts_alone_keeps_its_lineage():
    instance = make_instance(platform_details="Red Hat Enterprise Linux", usage_operation=None)
    image = make_image(source_instance_id=instance.aws_id, account=instance.account)

    judge(image)

    assert (image.verdict, image.expected_usage_operation) == ("lost", RHEL)


def test_a_copy_of_a_named_image_that_lost_its_code_has_lost_it_too():
    master = make_image(name="rhel9-master")
    copy = make_image(name="dr-copy", source_image_id=master.aws_id, account=master.account)

    judge(master, copy)

    assert (master.verdict, copy.verdict) == ("lost", "lost")
    assert (copy.confidence, copy.source) == ("weak", "ancestor")


def test_a_copy_of_a_windows_image_that_lost_its_code_has_lost_it_too():
    master = make_image(name="dc-master", platform="windows")
    copy = make_image(
        name="dc-copy", platform="windows", source_image_id=master.aws_id, account=master.account
    )

    judge(master, copy)

    assert (master.verdict, copy.verdict) == ("lost", "lost")
