import pytest

from registry.aws import AccessDenied, AwsError, Throttled, Unreachable
from registry.models import Image, Instance, ReservedInstance, Snapshot, Volume
from registry.sync import Changes, mirror_images, sync_scope
from tests.data.items import (
    drop,
    image_item,
    instance_item,
    put,
    reserved_item,
    snapshot_item,
    volume_item,
)
from tests.factories import LATER, NOON
from tests.sync.versions import versions

KINDS = [
    pytest.param("DescribeSnapshots", Snapshot, snapshot_item, id="snapshots"),
    pytest.param("DescribeVolumes", Volume, volume_item, id="volumes"),
    pytest.param("DescribeInstances", Instance, instance_item, id="instances"),
    pytest.param("DescribeImages", Image, image_item, id="images"),
    pytest.param("DescribeReservedInstances", ReservedInstance, reserved_item, id="purchases"),
]
FAULTS = {
    "access-denied": AccessDenied,
    "throttle": Throttled,
    "server-error": AwsError,
    "half-a-page": Unreachable,
    "applied-then-dropped": Unreachable,
}


def put_everything(aws, *numbers):
    for number in numbers:
        put(aws, snapshot_item(number), volume_item(number), instance_item(number))
        put(aws, image_item(number), reserved_item(number))


def test_every_kind_is_mirrored(aws, ec2, scope):
    put_everything(aws, 1, 2)

    changes = sync_scope(ec2, scope, at=NOON).changes

    two_new = Changes(seen=2, new=2, changed=0, gone=0)
    assert changes == {
        "snapshots": two_new,
        "volumes": two_new,
        "instances": two_new,
        "images": two_new,
        "reserved instances": two_new,
    }


def test_parents_are_asked_for_before_their_children(aws, ec2, scope):
    sync_scope(ec2, scope, at=NOON)

    assert aws.operations_called() == [
        "DescribeSnapshots",
        "DescribeVolumes",
        "DescribeInstances",
        "DescribeImages",
        "DescribeReservedInstances",
    ]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", [pytest.param(kind.values, id=kind.id) for kind in KINDS])
def test_a_failed_listing_leaves_the_mirror_alone(aws, impatient, scope, kind, fault):
    operation, model, item = kind
    put_everything(aws, 1, 2)
    sync_scope(impatient, scope, at=NOON)
    before = versions(model)
    drop(aws, item(1))
    aws.fail(operation, fault)

    with pytest.raises(FAULTS[fault], match=operation):
        sync_scope(impatient, scope, at=LATER)

    assert versions(model) == before
    assert model.objects.present().count() == 2


@pytest.mark.parametrize(("operation", "model", "item"), KINDS)
def test_what_is_gone_in_aws_is_marked_gone(aws, ec2, scope, operation, model, item):
    put_everything(aws, 1, 2)
    sync_scope(ec2, scope, at=NOON)
    drop(aws, item(1))

    sync_scope(ec2, scope, at=LATER)

    assert model.objects.gone().get().gone_at == LATER
    assert model.objects.present().count() == 1


@pytest.mark.parametrize(("operation", "model", "item"), KINDS)
def test_the_second_page_counts(aws, ec2, scope, operation, model, item):
    put(aws, *map(item, range(1_001)))

    sync_scope(ec2, scope, at=NOON)

    assert model.objects.present().count() == 1_001


def test_a_second_sync_of_the_same_writes_nothing(aws, ec2, scope):
    put_everything(aws, 1, 2)
    sync_scope(ec2, scope, at=NOON)
    kinds = (Snapshot, Volume, Instance, Image, ReservedInstance)
    before = [versions(model) for model in kinds]

    sync_scope(ec2, scope, at=LATER)

    assert [versions(model) for model in kinds] == before


def test_what_was_mirrored_before_a_kind_failed_stays(aws, impatient, scope):
    put_everything(aws, 1)
    aws.fail("DescribeImages", "access-denied")

    with pytest.raises(AccessDenied):
        sync_scope(impatient, scope, at=NOON)

    assert Snapshot.objects.present().count() == 1
    assert not Image.objects.exists()


def test_the_number_of_queries_does_not_depend_on_the_number_of_things(
    aws, ec2, scope, django_assert_num_queries
):
    put_everything(aws, *range(40))

    # Five for each of five kinds, one for the audit of four of them, two for the history of two;
    # one for what was told of images before, and two for what single images are asked for.
    with django_assert_num_queries(37):
        sync_scope(ec2, scope, at=NOON)


def test_some_images_are_mirrored_and_returned(aws, ec2, scope):
    put(aws, image_item(1), image_item(2))
    sync_scope(ec2, scope, at=NOON)
    put(aws, image_item(1, Name="renamed"))
    drop(aws, image_item(2))
    found = ec2.find_images(ids=[image_item(1)["ImageId"], image_item(2)["ImageId"]])

    (row,) = mirror_images(found, scope, at=LATER)

    assert row.name == "renamed"
    assert Image.objects.present().count() == 2
