from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.audit.inventory import load_inventory, read_on_demand
from registry.billing.graph import ImageNode, InstanceNode, SnapshotNode, VolumeNode
from registry.billing.lineage import trace
from registry.models import (
    Account,
    Image,
    Instance,
    Method,
    RegistrationStep,
    Snapshot,
    Volume,
)
from tests.factories import (
    NOON,
    make_account,
    make_image,
    make_instance,
    make_registration,
    make_snapshot,
    make_volume,
)

pytestmark = pytest.mark.django_db


def test_an_image_is_a_node():
    image = make_image(
        owner_id="123456789012",
        root_snapshot_id="snap-1",
        source_instance_id="i-1",
        source_image_id="ami-1",
    )

    inventory = load_inventory()

    assert inventory.images == {
        image.aws_id: ImageNode(
            image.aws_id,
            name="web",
            owner_id="123456789012",
            usage_operation="RunInstances",
            root_snapshot_id="snap-1",
            source_instance_id="i-1",
            source_image_id="ami-1",
            created_at=NOON,
        )
    }
    assert inventory.made_from == {"snap-1": image.aws_id}


def test_a_snapshot_is_a_node():
    snapshot = make_snapshot(name="root", description="by hand", volume_id="vol-1")

    node = load_inventory().snapshots[snapshot.aws_id]

    assert node == SnapshotNode(
        snapshot.aws_id, "root", "by hand", "vol-1", started_at=snapshot.started_at
    )
    assert node.started_at is not None


def test_a_volume_is_a_node():
    places = [{"instance_id": "i-1", "device": "/dev/sda1"}]
    volume = make_volume(snapshot_id="snap-1", attachments=places)

    node = load_inventory().volumes[volume.aws_id]

    assert node == VolumeNode(volume.aws_id, "snap-1", (("i-1", "/dev/sda1"),))


def test_an_instance_is_a_node():
    instance = make_instance(
        name="web-1",
        image_id="ami-1",
        usage_operation_updated_at=NOON,
        root_device_name="/dev/sda1",
        volumes={"/dev/sda1": "vol-root", "/dev/sdf": "vol-other"},
    )

    inventory = load_inventory()

    assert inventory.instances[instance.aws_id] == InstanceNode(
        instance.aws_id,
        name="web-1",
        image_id="ami-1",
        usage_operation="RunInstances",
        usage_operation_updated_at=NOON,
        root_device_name="/dev/sda1",
        root_volume_id="vol-root",
    )
    assert inventory.root_of == {"vol-root": instance.aws_id}


def test_what_aws_tells_of_the_image_of_an_instance_is_known():
    instance = make_instance(image_name="RHEL-9.4", image_owner_id="309956199498")

    node = load_inventory().instances[instance.aws_id]

    assert (node.image_name, node.image_owner_id) == ("RHEL-9.4", "309956199498")


def test_an_ancestry_is_known_as_its_ids():
    image = make_image(
        ancestry=[
            {"image_id": "ami-0", "source_image_id": "ami-1", "source_image_region": "eu-west-1"},
            {"image_id": "ami-1", "source_image_id": "ami-2", "source_image_region": "us-east-1"},
            {"image_id": "ami-2", "source_image_id": ""},
        ],
        product_codes=[{"id": "code-1", "type": "marketplace"}],
    )

    node = load_inventory().images[image.aws_id]

    assert node.ancestry == ("ami-0", "ami-1", "ami-2")
    assert node.product_codes == ("code-1",)


def test_volumes_and_snapshots_tell_what_they_are_copied_from():
    volume = make_volume(source_volume_id="vol-0")
    snapshot = make_snapshot(data_encryption_key_id="aes-1", volume_id="vol-1")

    inventory = load_inventory()

    assert inventory.volumes[volume.aws_id].source_volume_id == "vol-0"
    assert inventory.snapshots[snapshot.aws_id].data_encryption_key_id == "aes-1"
    assert inventory.encrypted_with == {"aes-1": snapshot.aws_id}


SOURCES = {
    Method.SNAPSHOT: {"snapshot_id": "snap-1"},
    Method.INSTANCE: {"snapshot_id": "", "source_instance_id": "i-1"},
    Method.COPY: {"snapshot_id": "", "source_image_id": "ami-0", "source_region": "eu-west-1"},
}
WHOLE_OR_NOT = pytest.mark.parametrize("read", [load_inventory, read_on_demand])


@WHOLE_OR_NOT
@pytest.mark.parametrize("method", SOURCES)
def test_our_registrations_tell_what_aws_does_not_record(read, method):
    make_registration(image_id="ami-1", method=method, **SOURCES[method])
    make_image(aws_id="ami-1", name="as AWS has it")

    node = read().images["ami-1"]

    known = {node.root_snapshot_id, node.source_instance_id, node.source_image_id} - {""}
    assert known == set(SOURCES[method].values()) & {"snap-1", "i-1", "ami-0"}
    assert node.name == "as AWS has it"


@WHOLE_OR_NOT
def test_what_aws_records_counts_before_our_registrations(read):
    make_registration(image_id="ami-1", snapshot_id="snap-1")
    make_image(aws_id="ami-1", root_snapshot_id="snap-2")

    assert read().images["ami-1"].root_snapshot_id == "snap-2"


@WHOLE_OR_NOT
@pytest.mark.parametrize(
    ("step", "code"),
    [(RegistrationStep.VERIFIED, "RunInstances:0010"), (RegistrationStep.AVAILABLE, None)],
)
def test_an_image_made_here_is_known_though_no_sync_ever_saw_it(read, step, code):
    registration = make_registration(
        image_id="ami-1",
        snapshot_id="snap-1",
        step=step,
        usage_operation="RunInstances:0010",
        submitted_at=NOON,
    )

    inventory = read()

    assert inventory.images["ami-1"] == ImageNode(
        "ami-1",
        name=registration.name,
        owner_id=registration.account.number,
        usage_operation=code,
        root_snapshot_id="snap-1",
        created_at=NOON,
    )
    assert inventory.made_from["snap-1"] == "ami-1"


def test_a_request_that_made_no_image_is_no_node():
    make_registration(snapshot_id="snap-1")

    assert not load_inventory().images


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (make_image, "images"),
        (make_snapshot, "snapshots"),
        (make_volume, "volumes"),
        (make_instance, "instances"),
    ],
)
def test_what_is_gone_is_known_still(make, kind):
    gone = make(gone_at=NOON)

    nodes = getattr(load_inventory(), kind)

    assert nodes[gone.aws_id].is_gone


@pytest.mark.parametrize("is_first", [True, False], ids=["first", "last"])
def test_of_two_with_one_id_the_one_that_is_there_counts(is_first):
    present = {"aws_id": "ami-1", "name": "present"}
    gone = {"aws_id": "ami-1", "name": "gone", "gone_at": NOON}
    first, second = (present, gone) if is_first else (gone, present)
    make_image(**first)
    make_image(**second)

    node = load_inventory().images["ami-1"]

    assert (node.name, node.is_gone) == ("present", False)


# Small mirrors in which everything may point to everything, in two accounts, present or gone.
numbers = st.integers(0, 2)
codes = st.sampled_from([None, "", "RunInstances", "RunInstances:0010", "RunInstances:0002"])
times = st.one_of(st.none(), st.integers(0, 3).map(lambda hours: NOON + timedelta(hours=hours)))


def named(prefix: str) -> st.SearchStrategy[str]:
    return numbers.map(lambda number: f"{prefix}-{number}")


def named_or_none(prefix: str) -> st.SearchStrategy[str]:
    return st.one_of(st.just(""), named(prefix))


def row(prefix: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    gone_at = st.sampled_from([None, NOON, NOON + timedelta(hours=1)])
    return st.fixed_dictionaries(
        {"aws_id": named(prefix), "account": st.integers(0, 1), "gone_at": gone_at} | fields
    )


descriptions = st.one_of(
    st.just(""),
    st.just("Created by AWS-VMImport service for import-snap-0a1"),
    st.builds("Created by CreateImage({}) for {}".format, named("i"), named("ami")),
    st.builds("[Copied {} from eu-west-1]".format, named("snap")),
    st.builds(
        "Copied for DestinationAmi {} from SourceAmi {} for SourceSnapshot {}".format,
        named("ami"),
        named("ami"),
        named("snap"),
    ),
)
entries = st.fixed_dictionaries({"image_id": named("ami"), "source_image_id": named_or_none("ami")})
mirrors = st.fixed_dictionaries(
    {
        Image: st.lists(
            row(
                "ami",
                root_snapshot_id=named_or_none("snap"),
                source_instance_id=named_or_none("i"),
                source_image_id=named_or_none("ami"),
                usage_operation=codes,
                created_at=times,
                ancestry=st.one_of(st.none(), st.lists(entries, max_size=2)),
            ),
            min_size=1,
            max_size=5,
        ),
        Snapshot: st.lists(
            row(
                "snap",
                volume_id=named_or_none("vol"),
                description=descriptions,
                started_at=times,
                data_encryption_key_id=named_or_none("aes"),
            ),
            max_size=5,
        ),
        Volume: st.lists(
            row(
                "vol",
                snapshot_id=named_or_none("snap"),
                source_volume_id=named_or_none("vol"),
                attachments=st.lists(
                    st.fixed_dictionaries(
                        {"instance_id": named("i"), "device": st.sampled_from(["/a", "/b", ""])}
                    ),
                    max_size=2,
                ),
            ),
            max_size=5,
        ),
        Instance: st.lists(
            row(
                "i",
                image_id=named_or_none("ami"),
                image_name=st.sampled_from(["", "RHEL-9"]),
                usage_operation=codes,
                usage_operation_updated_at=times,
                root_device_name=st.sampled_from(["/a", "/b", ""]),
                volumes=st.dictionaries(st.sampled_from(["/a", "/b"]), named("vol")),
            ),
            max_size=5,
        ),
    }
)
_FIXED = {"region": "eu-west-1", "digest": "", "first_seen_at": NOON, "last_seen_at": NOON}


@contextmanager
def mirrored(mirror: dict[Any, list[dict[str, Any]]]) -> Iterator[None]:
    """Have these rows, and no more of them than one with an id in each account."""
    with transaction.atomic():
        accounts = [make_account(), make_account()]
        for model, rows in mirror.items():
            once = {(fields["account"], fields["aws_id"]): fields for fields in rows}
            model.objects.bulk_create(
                model(**_FIXED | fields | {"account": accounts[fields["account"]]})
                for fields in once.values()
            )
        yield
        transaction.set_rollback(True)


@settings(max_examples=100)
@given(mirrors)
def test_what_is_read_on_demand_tells_the_same_as_all_of_it(mirror):
    with mirrored(mirror):
        whole = load_inventory()

        lineages = {aws_id: trace(aws_id, read_on_demand()) for aws_id in whole.images}

        assert lineages == {aws_id: trace(aws_id, whole) for aws_id in whole.images}


@pytest.mark.parametrize(
    ("kind", "prefix"),
    [
        ("images", "ami"),
        ("snapshots", "snap"),
        ("volumes", "vol"),
        ("instances", "i"),
        ("root_of", "vol"),
        ("made_from", "snap"),
        ("encrypted_with", "aes"),
    ],
)
@settings(max_examples=40)
@given(mirror=mirrors)
def test_every_question_has_the_same_answer_on_demand(mirror, kind, prefix):
    ids = ["", *(f"{prefix}-{number}" for number in range(3))]
    with mirrored(mirror):
        on_demand = getattr(read_on_demand(), kind)
        whole = getattr(load_inventory(), kind)

        answers = [(on_demand.get(aws_id), aws_id in on_demand) for aws_id in ids]

        assert answers == [(whole.get(aws_id), aws_id in whole) for aws_id in ids]
        assert dict(on_demand) == dict(whole)
        assert len(on_demand) == len(whole)


def grow_chain(account: Account) -> str:
    """Make an image registered from a snapshot of an instance's root volume, and so on, thrice."""
    image = make_image(account=account, root_snapshot_id="snap-first")
    make_snapshot(account=account, aws_id="snap-first")
    for number in range(3):
        device, volume = "/dev/sda1", f"vol-{number}"
        make_instance(
            account=account,
            image_id=image.aws_id,
            root_device_name=device,
            volumes={device: volume},
        )
        make_volume(account=account, aws_id=volume)
        snapshot = make_snapshot(account=account, volume_id=volume)
        image = make_image(account=account, root_snapshot_id=snapshot.aws_id)
    return image.aws_id


@pytest.mark.parametrize("others", [0, 200])
def test_a_lineage_is_read_in_as_many_queries_in_a_mirror_of_any_size(
    others, django_assert_max_num_queries
):
    account = make_account()
    newest = grow_chain(account)
    for number in range(others):
        make_image(account=account, root_snapshot_id=f"snap-other-{number}")
        make_instance(account=account, volumes={"/dev/sda1": f"vol-other-{number}"})

    # An image and our registration of it, snapshot, volume and root instance for each of three;
    # the first and its snapshot; what else has the root snapshot of the newest.
    with django_assert_max_num_queries(3 * 5 + 3 + 2):
        lineage = trace(newest, read_on_demand())

    assert len(lineage.hops) == 3 * 4 + 2


def test_nothing_is_read_twice(django_assert_num_queries):
    newest = grow_chain(make_account())
    inventory = read_on_demand()
    trace(newest, inventory)

    with django_assert_num_queries(0):
        trace(newest, inventory)


def test_several_images_are_read_at_once(django_assert_num_queries):
    ids = [make_image().aws_id, make_image().aws_id, "ami-dead"]

    with django_assert_num_queries(2):  # the images, and our registrations of them
        inventory = read_on_demand(ids)
        found = [aws_id in inventory.images for aws_id in ids]

    assert found == [True, True, False]


def test_of_all_that_share_a_root_snapshot_only_they_are_read():
    make_image(root_snapshot_id="snap-other")
    newer = make_image(root_snapshot_id="snap-1", created_at=NOON + timedelta(hours=1))
    older = make_image(root_snapshot_id="snap-1", created_at=NOON)
    inventory = read_on_demand()

    found = inventory.made_from["snap-1"]

    assert found == older.aws_id
    assert set(inventory.images) == {older.aws_id, newer.aws_id}
