import pytest

from registry.audit import touched
from registry.audit.touched import concerned, forget, read_touched
from registry.billing.graph import key_of
from registry.models import Touched
from tests.factories import LATER, make_image, make_instance, make_snapshot

pytestmark = pytest.mark.django_db


def touch(kind, *ids):
    Touched.objects.bulk_create([Touched(kind=kind, aws_id=aws_id) for aws_id in ids])
    return read_touched()


def test_an_image_is_concerned_by_itself_and_by_what_it_descends_from():
    parent = make_image(aws_id="ami-parent")
    child = make_image(ancestors=["snap-1", "ami-parent"])
    make_image(ancestors=["ami-other"])

    assert concerned(touch("image", "ami-parent")) == {parent.pk, child.pk}


@pytest.mark.parametrize("kind", ["snapshot", "volume", "instance"])
def test_what_appears_concerns_the_images_that_looked_for_it(kind):
    child = make_image(ancestors=["x-1"])
    make_image(ancestors=[])

    assert concerned(touch(kind, "x-1")) == {child.pk}


def test_an_instance_concerns_the_image_it_was_launched_from():
    image = make_image(aws_id="ami-1")
    make_image(aws_id="ami-2")
    machine = make_instance(image_id="ami-1")

    assert concerned(touch("instance", machine.aws_id)) == {image.pk}


def test_an_instance_concerns_the_images_of_its_root_volume():
    machine = make_instance(
        root_device_name="/dev/xvda", volumes={"/dev/xvda": "vol-1", "/dev/sdf": "vol-2"}
    )
    image = make_image(ancestors=["vol-1"])
    make_image(ancestors=["vol-2"])

    assert concerned(touch("instance", machine.aws_id)) == {image.pk}


def test_an_image_concerns_those_that_come_from_its_root_snapshot():
    made = make_image(aws_id="ami-1", root_snapshot_id="snap-1")
    child = make_image(ancestors=["snap-1"])

    assert concerned(touch("image", "ami-1")) == {made.pk, child.pk}


def test_a_snapshot_concerns_those_that_looked_for_its_encryption_key():
    snapshot = make_snapshot(data_encryption_key_id="key-of-the-disk")
    child = make_image(ancestors=[key_of("key-of-the-disk")])
    make_image(ancestors=[key_of("another")])

    assert concerned(touch("snapshot", snapshot.aws_id)) == {child.pk}


def test_what_is_gone_is_not_judged_again():
    make_image(aws_id="ami-1", gone_at=LATER)

    assert concerned(touch("image", "ami-1")) == set()


def test_what_is_touched_while_an_audit_runs_stays_for_the_next():
    read = touch("image", "ami-1")
    touch("image", "ami-1")

    forget(read)

    assert Touched.objects.count() == 1


def test_a_change_of_what_everything_is_judged_by_is_of_everything():
    Touched.objects.everything()

    assert read_touched().is_everything


def test_the_number_of_queries_does_not_grow(django_assert_num_queries):
    for number in range(30):
        make_instance(image_id=make_image(ancestors=[f"snap-{number}"]).aws_id)
    read = touch("snapshot", *[f"snap-{number}" for number in range(30)])

    with django_assert_num_queries(3):
        assert len(concerned(read)) == 30


def test_where_too_much_was_touched_all_is_judged(monkeypatch):
    monkeypatch.setattr(touched, "MOST", 2)
    Touched.objects.all().delete()  # an upgrade puts everything on the list

    assert not touch("image", "ami-1", "ami-2").is_everything
    assert touch("image", "ami-3").is_everything
