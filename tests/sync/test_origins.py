from typing import Any

import pytest

from registry.models import Image, Instance, Touched
from registry.sync import origins, sync_scope
from registry.sync.besides import Besides
from sandbox.aws.scope import Scope as Place
from tests.data.items import ACCOUNT, REGION, drop, image_item, instance_item, put
from tests.factories import LATER, NOON, make_image
from tests.sync.versions import versions

pytestmark = pytest.mark.django_db
FAULTS = ["access-denied", "throttle", "server-error", "half-a-page"]
SOLD = [{"ProductCodeId": "6cd5fxzrad0cu2j23p692xytz", "ProductCodeType": "marketplace"}]
ORPHAN = {"SourceImageId": "ami-00000000000000099", "SourceImageRegion": "us-east-1"}


def told():
    fields = ("image_name", "image_owner_id", "image_owner_alias")
    return Instance.objects.values_list(*fields).get()


def touched():
    return [(row.kind, row.aws_id) for row in Touched.objects.order_by("pk")]


def test_an_instance_keeps_what_aws_tells_of_its_image(aws, ec2, scope):
    put(aws, instance_item(1), image_item(1, Name="golden", ImageOwnerAlias="amazon"))

    sync_scope(ec2, scope, at=NOON)

    assert told() == ("golden", ACCOUNT, "amazon")


def test_the_image_of_an_instance_may_be_gone(aws, ec2, scope):
    memory = {"Name": "golden", "OwnerId": "309956199498", "State": "deregistered"}
    put(aws, instance_item(1, _image=memory))

    sync_scope(ec2, scope, at=NOON)

    assert told() == ("golden", "309956199498", "")


def test_without_instances_nothing_is_asked_of_their_images(aws, ec2, scope):
    sync_scope(ec2, scope, at=NOON)

    assert "DescribeInstanceImageMetadata" not in aws.operations_called()


@pytest.mark.parametrize("fault", FAULTS)
def test_what_was_told_of_images_stays_where_it_cannot_be_read(aws, impatient, scope, fault):
    put(aws, instance_item(1), image_item(1, Name="golden"))
    sync_scope(impatient, scope, at=NOON)
    put(aws, instance_item(1, InstanceType="m6i.large"))
    aws.fail("DescribeInstanceImageMetadata", fault)

    sync_scope(impatient, scope, at=LATER)

    assert told() == ("golden", ACCOUNT, "")
    assert Instance.objects.get().instance_type == "m6i.large"


def test_what_is_no_longer_told_stays(aws, ec2, scope):
    put(aws, instance_item(1), image_item(1, Name="golden"))
    sync_scope(ec2, scope, at=NOON)
    drop(aws, image_item(1))
    before = versions(Instance)

    sync_scope(ec2, scope, at=LATER)

    assert told() == ("golden", ACCOUNT, "")
    assert versions(Instance) == before


def test_what_was_told_is_of_one_image_only(aws, ec2, scope):
    put(aws, instance_item(1), image_item(1, Name="golden"))
    sync_scope(ec2, scope, at=NOON)
    put(aws, instance_item(1, ImageId="ami-0another"))

    sync_scope(ec2, scope, at=LATER)

    assert told() == ("", "", "")


def test_an_ancestry_is_read_once_where_the_parent_is_not_in_the_mirror(aws, ec2, scope):
    put(aws, image_item(1, **ORPHAN), image_item(2, SourceImageId=image_item(1)["ImageId"]))
    put(aws, image_item(3))

    sync_scope(ec2, scope, at=NOON)
    sync_scope(ec2, scope, at=LATER)

    assert aws.operations_called().count("GetImageAncestry") == 1
    orphan = Image.objects.get(aws_id=image_item(1)["ImageId"])
    assert orphan.ancestry == [
        {
            "image_id": orphan.aws_id,
            "created_at": "2026-10-01T08:30:00+00:00",
            "owner_alias": "",
            "source_image_id": ORPHAN["SourceImageId"],
            "source_image_region": "us-east-1",
        }
    ]
    assert Image.objects.exclude(ancestry=None).count() == 1


def test_images_with_one_parent_are_asked_for_once(aws, ec2, scope):
    vendor = image_item(99, SourceImageId="ami-0older", SourceImageRegion="us-east-1")
    put(aws, vendor | {"Public": True, "OwnerId": "309956199498"}, account="309956199498")
    child = {"SourceImageId": vendor["ImageId"], "SourceImageRegion": REGION}
    put(aws, *(image_item(number, **child) for number in (1, 2, 3)))

    sync_scope(ec2, scope, at=NOON)

    assert aws.operations_called().count("GetImageAncestry") == 1
    for image in Image.objects.all():
        way = [(entry["image_id"], entry["source_image_id"]) for entry in image.ancestry]
        assert way == [(image.aws_id, vendor["ImageId"]), (vendor["ImageId"], "ami-0older")]


def test_a_parent_in_another_account_is_in_the_mirror(aws, ec2, scope):
    make_image(aws_id=ORPHAN["SourceImageId"])
    put(aws, image_item(1, **ORPHAN))

    sync_scope(ec2, scope, at=NOON)

    assert "GetImageAncestry" not in aws.operations_called()


def test_what_was_read_is_for_the_next_audit(aws, ec2, scope):
    put(aws, image_item(1, **ORPHAN))
    sync_scope(ec2, scope, at=NOON)
    Touched.objects.all().delete()
    Image.objects.update(ancestry=None)

    sync_scope(ec2, scope, at=LATER)

    assert touched() == [("image", image_item(1)["ImageId"])]


def test_who_may_launch_what_is_sold_is_read_again_and_again(aws, ec2, scope):
    put(aws, image_item(1, ProductCodes=SOLD), image_item(2))
    sync_scope(ec2, scope, at=NOON)
    Touched.objects.all().delete()
    image: Any = Place(aws.state, ACCOUNT, REGION).find("images", image_item(1)["ImageId"])
    image["_permissions"] = [{"UserId": "888888888888"}]

    sync_scope(ec2, scope, at=LATER)
    sync_scope(ec2, scope, at=LATER)

    found = Image.objects.order_by("aws_id").values_list("launch_permissions", flat=True)
    assert list(found) == [[{"UserId": "888888888888"}], None]
    assert touched() == [("image", image_item(1)["ImageId"])]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("operation", ["GetImageAncestry", "DescribeImageAttribute"])
def test_a_sync_goes_on_without_what_is_read_of_single_images(
    aws, impatient, scope, operation, fault
):
    put(aws, image_item(1, ProductCodes=SOLD, **ORPHAN), image_item(2, **ORPHAN))
    aws.fail(operation, fault)

    sync_scope(impatient, scope, at=NOON)

    assert Image.objects.present().count() == 2
    assert aws.operations_called().count(operation) == 1
    image = Image.objects.get(aws_id=image_item(1)["ImageId"])
    unread, read = ("ancestry", "launch_permissions")[:: 1 if "Ancestry" in operation else -1]
    assert getattr(image, unread) is None
    assert getattr(image, read) is not None


def test_what_cannot_be_read_any_more_stays(aws, impatient, scope):
    put(aws, image_item(1, ProductCodes=SOLD, _permissions=[{"UserId": "888888888888"}]))
    sync_scope(impatient, scope, at=NOON)
    aws.fail("DescribeImageAttribute", "access-denied")

    sync_scope(impatient, scope, at=LATER)

    assert Image.objects.get().launch_permissions == [{"UserId": "888888888888"}]


@pytest.mark.parametrize(
    ("operation", "what"),
    [
        ("DescribeInstanceImageMetadata", "what the images of instances are called"),
        ("GetImageAncestry", "the ancestry of images"),
        ("DescribeImageAttribute", "who may launch images with a product code"),
    ],
)
def test_what_could_not_be_read_is_told(aws, ec2, scope, operation, what):
    put(aws, instance_item(1), image_item(1, ProductCodes=SOLD, **ORPHAN))
    aws.fail(operation, "access-denied")

    missed = sync_scope(ec2, scope, at=NOON).missed

    assert [one.what for one in missed] == [what]
    assert missed[0].why.startswith(f"{operation}: UnauthorizedOperation.")


def test_where_all_is_read_nothing_is_told(aws, ec2, scope):
    put(aws, instance_item(1), image_item(1, ProductCodes=SOLD, **ORPHAN))

    assert sync_scope(ec2, scope, at=NOON).missed == []


def test_an_image_that_goes_meanwhile_does_not_stop_the_others(aws, ec2, scope):
    put(aws, image_item(1, **ORPHAN), image_item(2, SourceImageId="ami-0another"))
    sync_scope(ec2, scope, at=NOON)
    Image.objects.update(ancestry=None)
    drop(aws, image_item(1))

    origins.read_origins(ec2, Besides(scope))

    assert Image.objects.get(ancestry__isnull=False).aws_id == image_item(2)["ImageId"]


def test_a_sync_reads_so_many_and_the_next_one_goes_on(aws, ec2, scope, monkeypatch):
    monkeypatch.setattr(origins, "MOST", 2)
    for number in range(3):
        put(aws, image_item(number, ProductCodes=SOLD, SourceImageId=f"ami-0{number}"))

    sync_scope(ec2, scope, at=NOON)
    assert Image.objects.filter(ancestry__isnull=True).count() == 1
    assert Image.objects.filter(launch_permissions__isnull=True).count() == 1
    sync_scope(ec2, scope, at=LATER)

    assert not Image.objects.filter(ancestry__isnull=True).exists()
    assert not Image.objects.filter(launch_permissions__isnull=True).exists()


def test_of_more_than_a_sync_reads_each_has_its_turn(aws, ec2, scope, monkeypatch):
    shared = image_item(1, ProductCodes=SOLD, _permissions=[{"UserId": "888888888888"}])
    put(aws, shared, image_item(2, ProductCodes=SOLD))
    sync_scope(ec2, scope, at=NOON)
    image: Any = Place(aws.state, ACCOUNT, REGION).find("images", shared["ImageId"])
    image["_permissions"] = []
    monkeypatch.setattr(origins, "MOST", 1)

    for _ in range(50):
        origins.read_origins(ec2, Besides(scope))
        if Image.objects.get(aws_id=shared["ImageId"]).launch_permissions == []:
            return
    pytest.fail("It is never read again.")
