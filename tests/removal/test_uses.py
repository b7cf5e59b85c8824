import pytest

from registry.models import RunState
from registry.removal.uses import (
    INSTANCE,
    LAUNCH_TEMPLATE,
    PARAMETER,
    PERMISSION,
    REGISTRATION,
    NotKnown,
    Use,
    beyond,
    known_uses,
    of_permissions,
    read_permissions,
    removals_under_way,
    uses_now,
)
from tests.factories import (
    NOON,
    make_account,
    make_image,
    make_instance,
    make_registration,
    make_removal,
    make_removal_item,
    make_run,
)
from tests.removal.simulated import launch, name_in_parameter, name_in_template

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("state", ["running", "stopped", "pending"])
def test_an_instance_of_any_account_is_known_as_a_use(state):
    image, other = make_image(), make_account()
    instance = make_instance(image_id=image.aws_id, account=other, state=state, name="web")

    found = known_uses([image])

    assert found == {image.pk: [Use(INSTANCE, instance.aws_id, "web", other.number)]}


@pytest.mark.parametrize(
    "fields", [{"state": "terminated"}, {"gone_at": NOON}], ids=["terminated", "gone"]
)
def test_an_instance_that_is_no_more_is_no_use(fields):
    image = make_image()
    make_instance(image_id=image.aws_id, **fields)

    assert known_uses([image]) == {image.pk: []}


@pytest.mark.parametrize("member", ["source_image_id", "image_id"])
def test_a_registration_under_way_is_a_use(member):
    image = make_image()
    registration = make_registration(**{member: image.aws_id})

    [use] = known_uses([image])[image.pk]

    assert (use.kind, use.aws_id) == (REGISTRATION, registration.run.ref)


def test_a_registration_that_is_over_is_no_use():
    image = make_image()
    run = make_run(state=RunState.SUCCEEDED, finished_at=NOON)
    make_registration(source_image_id=image.aws_id, run=run)

    assert known_uses([image])[image.pk] == []


def test_a_public_image_is_known_to_be_shared():
    image = make_image(is_public=True)

    assert known_uses([image])[image.pk] == [Use(PERMISSION, "all")]


def test_what_the_last_look_saw_is_known():
    image = make_image()
    older, newer = Use(LAUNCH_TEMPLATE, "lt-1"), Use(LAUNCH_TEMPLATE, "lt-2")
    make_removal_item(image=image, state="in_use", uses=[older.json])
    make_removal_item(image=image, state="in_use", uses=[newer.json])

    assert known_uses([image])[image.pk] == [newer]


@pytest.mark.parametrize(
    "end", [{"state": "terminated"}, {"gone_at": NOON}], ids=["terminated", "gone"]
)
def test_an_instance_of_the_last_look_that_has_ended_since_is_no_use(end):
    image = make_image()
    instance = make_instance(image_id=image.aws_id, **end)
    use = Use(INSTANCE, instance.aws_id)
    make_removal_item(image=image, state="in_use", uses=[use.json])

    assert known_uses([image])[image.pk] == []


def test_a_registration_of_the_last_look_is_asked_for_anew():
    image = make_image()
    make_removal_item(image=image, state="in_use", uses=[Use(REGISTRATION, "J-0001").json])

    assert known_uses([image])[image.pk] == []


def test_a_disabled_image_is_shared_with_nobody_whatever_the_last_look_saw():
    image = make_image(state="disabled")
    make_removal_item(image=image, state="in_use", uses=[Use(PERMISSION, "all").json])

    assert known_uses([image])[image.pk] == []


def test_an_instance_seen_twice_is_one_use():
    image = make_image()
    instance = make_instance(image_id=image.aws_id, name="web")
    make_removal_item(image=image, state="in_use", uses=[Use(INSTANCE, instance.aws_id).json])

    [use] = known_uses([image])[image.pk]

    assert use.name == "web"


def test_takes_the_same_queries_for_any_number_of_images(django_assert_num_queries):
    images = [make_image() for _ in range(12)]
    for image in images:
        make_instance(image_id=image.aws_id)
        make_registration(source_image_id=image.aws_id)
        make_removal_item(image=image, state="in_use", uses=[Use(PERMISSION, "all").json])

    with django_assert_num_queries(4):
        known_uses(images)


def test_aws_names_the_instances_of_the_account(aws, ec2, image):
    instance_id = launch(aws, image)

    found = uses_now(ec2, image, [])

    assert found == [Use(INSTANCE, instance_id, "", image.account.number)]


def test_an_instance_that_aws_names_has_the_name_that_the_mirror_knows(aws, ec2, image):
    instance_id = launch(aws, image)
    make_instance(aws_id=instance_id, account=image.account, name="web", image_id=image.aws_id)

    assert [use.name for use in uses_now(ec2, image, [])] == ["web"]


def test_an_instance_that_aws_names_after_its_end_is_no_use(aws, ec2, image):
    instance_id = launch(aws, image)
    make_instance(aws_id=instance_id, account=image.account, state="terminated")

    assert uses_now(ec2, image, []) == []


def test_aws_is_believed_about_an_instance_that_the_mirror_takes_for_gone(aws, ec2, image):
    instance_id = launch(aws, image)
    make_instance(aws_id=instance_id, account=image.account, gone_at=NOON)

    assert [use.aws_id for use in uses_now(ec2, image, [])] == [instance_id]


def test_a_launch_template_without_an_auto_scaling_group_counts_as_use(aws, ec2, image):
    template_id = name_in_template(aws, image)

    found = uses_now(ec2, image, [])

    assert found == [Use(LAUNCH_TEMPLATE, template_id, "", image.account.number)]


def test_a_parameter_counts_as_use(aws, ec2, image):
    name_in_parameter(aws, image, "/ami/golden")

    assert uses_now(ec2, image, []) == [Use(PARAMETER, "ami/golden", "", image.account.number)]


def test_an_instance_of_another_account_counts_as_use(ec2, image):
    instance = make_instance(image_id=image.aws_id)

    assert [use.aws_id for use in uses_now(ec2, image, [])] == [instance.aws_id]


def test_of_its_own_account_aws_knows_better_than_the_mirror(ec2, image):
    make_instance(image_id=image.aws_id, account=image.account)

    assert uses_now(ec2, image, []) == []


def test_whom_it_is_shared_with_counts_as_use(ec2, image):
    permissions = [{"UserId": "111111111111"}, {"UserId": image.account.number}]

    found = uses_now(ec2, image, permissions)

    assert found == [Use(PERMISSION, "111111111111", account="111111111111")]


@pytest.mark.parametrize(
    "permission",
    [
        {"Group": "all"},
        {"OrganizationArn": "arn:aws:organizations::1:organization/o-1"},
        {"OrganizationalUnitArn": "arn:aws:organizations::1:ou/o-1/ou-1"},
    ],
    ids=lambda permission: next(iter(permission)),
)
def test_groups_and_organizations_are_shared_with_too(permission):
    assert [use.aws_id for use in of_permissions([permission])] == list(permission.values())


def test_references_that_can_not_be_read_are_not_none(aws, ec2, image):
    aws.fail("DescribeImageReferences", "access-denied")

    with pytest.raises(NotKnown, match=r"not known who uses.*ec2:DescribeImageReferences"):
        uses_now(ec2, image, [])


def test_permissions_that_can_not_be_read_are_not_none(aws, ec2, image):
    aws.fail("DescribeImageAttribute", "access-denied")

    with pytest.raises(NotKnown, match="ec2:DescribeImageAttribute"):
        read_permissions(ec2, image)


def test_only_what_was_not_shown_is_beyond():
    shown, new = Use(INSTANCE, "i-1", "an old name"), Use(INSTANCE, "i-2")

    assert beyond([Use(INSTANCE, "i-1"), new], [shown]) == [new]


def test_a_use_survives_its_writing_down():
    use = Use(PARAMETER, "ami/golden", "", "111111111111")

    assert Use.parse(use.json) == use


@pytest.mark.parametrize(
    ("use", "text"),
    [
        (Use(INSTANCE, "i-1", "web"), "instance i-1 (web)"),
        (Use(LAUNCH_TEMPLATE, "lt-1"), "launch template lt-1"),
        (Use("imagebuilder:ImageRecipe", "web/1.0.0"), "imagebuilder:ImageRecipe web/1.0.0"),
    ],
    ids=["named", "without a name", "of a kind not known"],
)
def test_a_use_reads_as_words(use, text):
    assert str(use) == text


def test_a_removal_is_under_way_while_its_run_is():
    image = make_image()
    over = make_run(kind="remove", state=RunState.FAILED, finished_at=NOON, error="Declined.")
    make_removal_item(removal=make_removal(run=over), image=make_image())
    item = make_removal_item(image=image)
    make_removal_item(image=make_image(), state="kept")

    found = removals_under_way([image, *type(image).objects.all()])

    assert found == {image.pk: item}
