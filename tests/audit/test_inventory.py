import pytest

from registry.audit.inventory import load_inventory
from registry.billing.lineage import ImageNode, InstanceNode, SnapshotNode, VolumeNode
from tests.factories import NOON, make_image, make_instance, make_snapshot, make_volume

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
