import pytest

from registry.removal.relatives import present_copies, snapshots_of, users_of_snapshots
from tests.factories import NOON, make_image

pytestmark = pytest.mark.django_db


def device(snapshot_id):
    return {"DeviceName": "/dev/sdb", "Ebs": {"SnapshotId": snapshot_id}}


def test_a_copy_in_any_region_and_account_is_found():
    image = make_image()
    copy = make_image(source_image_id=image.aws_id, region="us-east-1")

    assert present_copies([image]) == {image.aws_id: [copy]}


def test_a_copy_of_a_copy_is_found_also_where_the_one_between_is_gone():
    image = make_image()
    between = make_image(source_image_id=image.aws_id, gone_at=NOON)
    last = make_image(source_image_id=between.aws_id)

    assert present_copies([image]) == {image.aws_id: [last]}


def test_a_copy_belongs_to_each_image_it_comes_from():
    image = make_image()
    between = make_image(source_image_id=image.aws_id)
    last = make_image(source_image_id=between.aws_id)

    found = present_copies([image, between])

    assert found == {image.aws_id: [between, last], between.aws_id: [last]}


def test_images_that_name_each_other_as_source_come_to_an_end():
    image = make_image()
    other = make_image(source_image_id=image.aws_id)
    image.source_image_id = other.aws_id
    image.save()

    assert present_copies([image]) == {image.aws_id: [other]}


def test_an_image_without_a_source_is_no_copy():
    image = make_image()
    make_image()

    assert present_copies([image]) == {}


def test_takes_two_queries_however_long_the_chain(django_assert_num_queries):
    chain = [make_image()]
    for _ in range(6):
        chain.append(make_image(source_image_id=chain[-1].aws_id))

    with django_assert_num_queries(2):
        found = present_copies(chain)
        accounts = {copy.account.number for copy in found[chain[0].aws_id]}

    assert len(accounts) == 6


def test_the_snapshots_of_an_image_are_named_once_the_root_first():
    image = make_image(
        root_snapshot_id="snap-2",
        block_devices=[device("snap-1"), device("snap-2"), {"DeviceName": "/dev/sdc"}],
    )

    assert snapshots_of(image) == ["snap-2", "snap-1"]


def test_a_disabled_image_uses_its_snapshots():
    image = make_image(state="disabled", root_snapshot_id="snap-1")

    assert users_of_snapshots(["snap-1"]) == {"snap-1": {image.pk}}


def test_a_snapshot_of_a_further_device_is_used_too():
    image = make_image(root_snapshot_id="snap-1", block_devices=[device("snap-2")])

    assert users_of_snapshots(["snap-2"]) == {"snap-2": {image.pk}}


@pytest.mark.parametrize("devices", [[], {}, None, "none"], ids=repr)
def test_devices_that_are_no_list_use_nothing(devices):
    make_image(block_devices=devices or [])

    assert users_of_snapshots(["snap-1"]) == {}


def test_an_image_that_is_gone_uses_no_snapshot():
    make_image(root_snapshot_id="snap-1", gone_at=NOON)

    assert users_of_snapshots(["snap-1"]) == {}
