from datetime import UTC, datetime

import pytest

from registry.aws import (
    Access,
    AccessDenied,
    AwsError,
    Ec2,
    ImageMetadata,
    Malformed,
    NameTaken,
    NotFound,
    Throttled,
    Unreachable,
    Unsure,
    connect,
)
from registry.aws.reads import PAGE_SIZE
from sandbox.aws.scope import Scope
from sandbox.aws.using import use_in_parameter, use_in_template
from tests.aws.impostor import answering
from tests.data.items import (
    ACCOUNT,
    image_item,
    instance_item,
    put,
    reserved_item,
    snapshot_item,
    volume_item,
)

PAGED = [
    pytest.param("DescribeImages", Ec2.list_images, image_item, id="images"),
    pytest.param("DescribeSnapshots", Ec2.list_snapshots, snapshot_item, id="snapshots"),
    pytest.param("DescribeVolumes", Ec2.list_volumes, volume_item, id="volumes"),
    pytest.param("DescribeInstances", Ec2.list_instances, instance_item, id="instances"),
]
LISTS = [
    *PAGED,
    pytest.param(
        "DescribeReservedInstances", Ec2.list_reserved_instances, reserved_item, id="purchases"
    ),
]
FAULTS = {
    "throttle": Throttled,
    "server-error": AwsError,
    "access-denied": AccessDenied,
    "half-a-page": Unreachable,
    "applied-then-dropped": Unreachable,
}
REGISTER = {"Name": "golden", "ImageLocation": "bucket/golden.manifest.xml"}
TAGGED = {
    "TagSpecifications": [
        {"ResourceType": "image", "Tags": [{"Key": "job", "Value": "7"}]},
    ]
}


def ids(records):
    return [record.aws_id for record in records]


@pytest.mark.parametrize(("operation", "ask", "item"), PAGED)
def test_a_listing_goes_on_to_the_last_page(aws, ec2, operation, ask, item):
    items = [item(number) for number in range(PAGE_SIZE + 1)]
    put(aws, *items)

    found = ask(ec2)

    assert ids(found) == [next(iter(item.values())) for item in items]
    assert [call.params["MaxResults"] for call in aws.calls] == [PAGE_SIZE, PAGE_SIZE]


@pytest.mark.parametrize("fault", ["throttle", "half-a-page"])
@pytest.mark.parametrize(("operation", "ask", "item"), PAGED)
def test_a_listing_whose_second_page_fails_is_an_error(aws, impatient, operation, ask, item, fault):
    put(aws, *map(item, range(PAGE_SIZE + 1)))
    aws.fail(operation, "slow", seconds=0)  # the first page comes
    aws.fail(operation, fault)

    with pytest.raises(FAULTS[fault], match=operation):
        ask(impatient)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("operation", "ask", "item"), LISTS)
def test_a_listing_that_fails_is_an_error(aws, impatient, operation, ask, item, fault):
    put(aws, item())
    aws.fail(operation, fault)

    with pytest.raises(FAULTS[fault], match=operation):
        ask(impatient)


@pytest.mark.parametrize(("operation", "ask", "item"), LISTS)
def test_a_listing_of_nothing_is_empty(aws, ec2, operation, ask, item):
    assert ask(ec2) == []


@pytest.mark.parametrize(("operation", "ask", "item"), LISTS)
@pytest.mark.parametrize(
    "body", [b"<html><body>Sign in to the hotel</body></html>", b"<html>", b""], ids=repr
)
def test_an_answer_that_is_not_one_of_aws_is_an_error(aws, body, operation, ask, item):
    with answering(body) as ec2, pytest.raises(Unreachable, match=operation):
        ask(ec2)


@pytest.mark.parametrize("fault", ["throttle", "server-error", "applied-then-dropped"])
def test_a_reading_that_fails_in_passing_is_repeated(aws, ec2, fault):
    put(aws, volume_item())
    aws.fail("DescribeVolumes", fault)

    found = ec2.list_volumes()

    assert len(found) == 1
    assert aws.operations_called() == ["DescribeVolumes"] * 2


def test_a_reading_is_given_up_after_four_attempts(aws, ec2):
    aws.fail("DescribeVolumes", "server-error", times=None)

    with pytest.raises(AwsError, match=r"DescribeVolumes: InternalError\. An internal"):
        ec2.list_volumes()

    assert aws.operations_called() == ["DescribeVolumes"] * 4


def test_an_error_has_the_code_of_aws_and_its_cause(aws, impatient):
    aws.fail("DescribeImages", "access-denied")

    with pytest.raises(AccessDenied) as raised:
        impatient.list_images()

    assert raised.value.code == "UnauthorizedOperation"
    assert raised.value.__cause__ is not None


def test_images_of_others_and_of_other_regions_are_not_listed(aws, ec2):
    put(aws, image_item(1))
    put(aws, image_item(2, OwnerId="137112412989", Public=True), account="137112412989")
    put(aws, image_item(3), region="us-east-1")

    assert ids(ec2.list_images()) == [image_item(1)["ImageId"]]


def test_disabled_and_deprecated_images_are_listed(aws, ec2):
    put(aws, image_item(1, State="disabled"))
    put(aws, image_item(2, DeprecationTime="2020-01-01T00:00:00.000Z"))

    assert len(ec2.list_images()) == 2


def test_snapshots_of_others_are_not_asked_for(aws, ec2):
    ec2.list_snapshots()

    assert aws.calls[0].params["OwnerIds"] == ["self"]


def test_an_image_whose_code_aws_leaves_out_has_an_empty_one(aws, ec2):
    put(aws, image_item(PlatformDetails=None, UsageOperation=None))

    (image,) = ec2.list_images()

    assert (image.platform_details, image.usage_operation) == ("", "")


def test_an_instance_whose_code_aws_leaves_out_has_an_empty_one(aws, ec2):
    put(aws, instance_item(PlatformDetails=None, UsageOperation=None))

    (instance,) = ec2.list_instances()

    assert (instance.platform_details, instance.usage_operation) == ("", "")


def test_a_purchase_without_recurring_charges_has_none(aws, ec2):
    put(aws, reserved_item(RecurringCharges=None))

    (purchase,) = ec2.list_reserved_instances()

    assert purchase.recurring_hourly == 0


def test_a_thing_that_makes_no_sense_is_an_error(aws, ec2):
    put(aws, snapshot_item(VolumeSize=-1))

    with pytest.raises(Malformed, match="VolumeSize"):
        ec2.list_snapshots()


def test_images_are_found_by_name(aws, ec2):
    put(aws, image_item(1, Name="golden"), image_item(2, Name="golden-2"))

    assert ids(ec2.find_images(name="golden")) == [image_item(1)["ImageId"]]


def test_images_are_found_by_tag(aws, ec2):
    put(aws, image_item(1, Tags=[{"Key": "job", "Value": "7"}]), image_item(2))

    assert ids(ec2.find_images(tag=("job", "7"))) == [image_item(1)["ImageId"]]


def test_images_are_found_by_more_ids_than_one_call_takes(aws, ec2):
    items = [image_item(number) for number in range(250)]
    put(aws, *items)

    found = ec2.find_images(ids=[item["ImageId"] for item in items])

    assert len(found) == 250
    assert [len(call.params["Filters"][0]["Values"]) for call in aws.calls] == [200, 50]


def test_no_ids_find_no_image(aws, ec2):
    put(aws, image_item())

    assert ec2.find_images(ids=[]) == []


def test_an_id_that_is_not_there_is_no_error(aws, ec2):
    assert ec2.find_images(ids=["ami-00000000000000bad"]) == []


def test_the_enabled_regions_are_listed(aws, ec2):
    assert ec2.list_regions() == ["eu-central-1", "eu-west-1", "us-east-1", "us-west-2"]


def test_a_list_of_regions_that_is_none_is_an_error(aws):
    with answering(b"<html/>") as ec2, pytest.raises(Unreachable, match="DescribeRegions"):
        ec2.list_regions()


def test_an_image_is_registered(aws, ec2):
    reply = ec2.make_image("RegisterImage", REGISTER | TAGGED)

    (image,) = ec2.list_images()
    assert reply.image_id == image.aws_id
    assert reply.request_id
    assert image.tags == {"job": "7"}


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("throttle", Throttled),
        ("server-error", Unsure),
        ("half-a-page", Unsure),
        ("applied-then-dropped", Unsure),
        ("access-denied", AccessDenied),
    ],
)
def test_a_registration_is_sent_once(aws, ec2, fault, error):
    aws.fail("RegisterImage", fault, times=None)

    with pytest.raises(error):
        ec2.make_image("RegisterImage", REGISTER)

    assert aws.operations_called() == ["RegisterImage"]


def test_a_registration_is_sent_once_whatever_the_environment_says(aws, monkeypatch):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "9")
    monkeypatch.setenv("AWS_RETRY_MODE", "standard")
    ec2 = connect(Access(), "eu-west-1")
    aws.fail("RegisterImage", "server-error", times=None)

    with pytest.raises(Unsure):
        ec2.make_image("RegisterImage", REGISTER)

    assert aws.operations_called() == ["RegisterImage"]


def test_a_dropped_answer_leaves_the_image_behind(aws, ec2):
    aws.fail("RegisterImage", "applied-then-dropped")

    with pytest.raises(Unsure):
        ec2.make_image("RegisterImage", REGISTER)

    assert [image.name for image in ec2.find_images(name="golden")] == ["golden"]


def test_a_registration_without_an_image_in_its_answer_is_unsure(aws):
    with answering(b"<html/>") as ec2, pytest.raises(Unsure, match="RegisterImage"):
        ec2.make_image("RegisterImage", REGISTER)


def test_a_name_that_is_taken_is_told(aws, ec2):
    put(aws, image_item(Name="golden"))

    with pytest.raises(NameTaken) as raised:
        ec2.make_image("RegisterImage", REGISTER)

    assert raised.value.code == "InvalidAMIName.Duplicate"


def test_a_snapshot_that_is_not_there_is_told(aws, ec2):
    device = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": "snap-0bad"}}
    wanted = {"Name": "golden", "RootDeviceName": "/dev/xvda", "BlockDeviceMappings": [device]}

    with pytest.raises(NotFound):
        ec2.make_image("RegisterImage", wanted)


def test_a_request_that_the_client_refuses_was_never_sent(aws, ec2):
    with pytest.raises(AwsError) as raised:
        ec2.make_image("RegisterImage", {"Name": "golden", "Colour": "red"})

    assert type(raised.value) is AwsError
    assert "Colour" in str(raised.value)
    assert aws.calls == []


def test_a_dry_run_registers_nothing(aws, ec2):
    ec2.try_make_image("RegisterImage", REGISTER | TAGGED)

    assert [call.params["DryRun"] for call in aws.calls] == [True]
    assert ec2.list_images() == []


def test_a_dry_run_raises_what_aws_would_answer(aws, ec2):
    put(aws, image_item(Name="golden"))

    with pytest.raises(NameTaken):
        ec2.try_make_image("RegisterImage", REGISTER)


def test_a_dry_run_that_something_else_answers_is_no_success(aws):
    with answering(b"<html/>") as ec2, pytest.raises(Unreachable, match="dry run"):
        ec2.try_make_image("RegisterImage", REGISTER)


def place(aws):
    return Scope(aws.state, "999999999999", "eu-west-1")


def test_an_image_that_only_an_old_version_of_a_template_names_is_referred_to(aws, ec2):
    old, new = image_item(1), image_item(2)
    put(aws, old, new)
    for image in (old, *[new] * 12):
        use_in_template(place(aws), image["ImageId"], "web")

    found = ec2.list_references([old["ImageId"]])

    assert [reference.kind for reference in found] == ["ec2:LaunchTemplate"]


def test_a_parameter_refers_to_an_image(aws, ec2):
    image = image_item(1)
    put(aws, image)
    use_in_parameter(place(aws), image["ImageId"], "/golden/current")

    (found,) = ec2.list_references([image["ImageId"]])

    assert found.kind == "ssm:Parameter"
    assert found.arn.endswith("parameter/golden/current")


def test_references_are_asked_for_more_images_than_one_request_takes(aws, ec2):
    images = [image_item(number) for number in range(11)]
    put(aws, *images)
    use_in_parameter(place(aws), images[-1]["ImageId"], "last")

    found = ec2.list_references([image["ImageId"] for image in images])

    assert [reference.image_id for reference in found] == [images[-1]["ImageId"]]


def test_an_image_is_read_in_aws_s_own_words(aws, ec2):
    put(aws, image_item(1, UsageOperation="RunInstances:0010"))

    found = ec2.read_image(image_item(1)["ImageId"])

    assert found.image.usage_operation == "RunInstances:0010"
    assert found.item["UsageOperation"] == "RunInstances:0010"
    assert found.request_id


def test_an_image_that_is_not_shown_is_none(aws, ec2):
    assert ec2.read_image("ami-00000000000000009") is None


def test_what_is_told_of_the_images_of_instances_goes_on_to_the_last_page(aws, ec2):
    put(aws, *map(instance_item, range(PAGE_SIZE + 1)))
    put(aws, image_item(0, Name="golden", ImageOwnerAlias="amazon"))

    found = ec2.list_image_metadata()

    first, *_, last = map(instance_item, range(PAGE_SIZE + 1))
    image_id = image_item(0)["ImageId"]
    assert found[first["InstanceId"]] == ImageMetadata(image_id, "golden", ACCOUNT, "amazon")
    assert found[last["InstanceId"]] == ImageMetadata(last["ImageId"], "", "", "")
    assert aws.operations_called() == ["DescribeInstanceImageMetadata"] * 2


def test_what_purchases_were_modified_from_goes_on_to_the_last_page(aws, ec2):
    first, second, *made = (reserved_item(number) for number in range(103))
    sources = [first["ReservedInstancesId"], second["ReservedInstancesId"]]
    put(aws, first, second, *(item | {"_modified_from": sources} for item in made))

    found = ec2.list_modifications()

    assert found == {item["ReservedInstancesId"]: sources for item in made}
    assert aws.operations_called() == ["DescribeReservedInstancesModifications"] * 2


def test_a_modification_that_is_not_fulfilled_has_made_nothing(aws):
    body = b"""<DescribeReservedInstancesModificationsResponse><reservedInstancesModificationsSet>
        <item><status>processing</status><modificationResultSet><item/></modificationResultSet>
        <reservedInstancesSet><item><reservedInstancesId>a</reservedInstancesId></item>
        </reservedInstancesSet></item>
        </reservedInstancesModificationsSet></DescribeReservedInstancesModificationsResponse>"""

    with answering(body) as ec2:
        assert ec2.list_modifications() == {}


def test_an_ancestry_is_read_nearest_first(aws, ec2):
    parent = image_item(2, SourceImageId="ami-gone", SourceImageRegion="us-east-1")
    child = image_item(1, SourceImageId=parent["ImageId"], SourceImageRegion="eu-west-1")
    put(aws, child, parent)

    entries = ec2.read_ancestry(child["ImageId"])

    assert [(one.image_id, one.source_image_id, one.source_image_region) for one in entries] == [
        (child["ImageId"], parent["ImageId"], "eu-west-1"),
        (parent["ImageId"], "ami-gone", "us-east-1"),
    ]
    assert entries[0].created_at == datetime(2026, 10, 1, 8, 30, tzinfo=UTC)


def test_no_image_has_no_ancestry(aws, ec2):
    with pytest.raises(NotFound):
        ec2.read_ancestry("ami-0123456789abcdef0")


@pytest.mark.parametrize(
    "ask",
    [
        Ec2.list_image_metadata,
        Ec2.list_modifications,
        lambda ec2: ec2.read_ancestry("ami-0123456789abcdef0"),
    ],
)
def test_an_origin_that_is_not_told_is_an_error(aws, ask):
    with pytest.raises(Unreachable), answering(b"<Other/>") as ec2:
        ask(ec2)


def test_an_image_is_disabled_and_enabled_again(aws, ec2):
    put(aws, image_item(1))
    image_id = image_item(1)["ImageId"]

    ec2.disable_image(image_id)
    disabled = ec2.read_image(image_id).image.state
    ec2.enable_image(image_id)

    assert (disabled, ec2.read_image(image_id).image.state) == ("disabled", "available")


def test_what_became_of_the_snapshots_is_told(aws, ec2):
    put(aws, snapshot_item(1), image_item(1))
    image_id, snapshot_id = image_item(1)["ImageId"], snapshot_item(1)["SnapshotId"]
    device = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot_id}}
    aws.state.things["images"][image_id]["BlockDeviceMappings"] = [device]

    found = ec2.deregister_image(image_id, deletes_snapshots=True)

    assert found.snapshots == ((snapshot_id, "success"),)
    assert ec2.list_images() == []


def test_an_image_comes_back_from_the_recycle_bin(aws, ec2):
    aws.state.accounts["999999999999"] = {"RecycleBin": True}
    put(aws, image_item(1))
    image_id = image_item(1)["ImageId"]
    ec2.deregister_image(image_id, deletes_snapshots=False)
    kept = ec2.list_recycled()

    ec2.restore_image(image_id)

    assert kept == [image_id]
    assert [image.aws_id for image in ec2.list_images()] == [image_id]


CHANGES = [
    pytest.param("DisableImage", Ec2.disable_image, id="disable"),
    pytest.param("EnableImage", Ec2.enable_image, id="enable"),
    pytest.param("RestoreImageFromRecycleBin", Ec2.restore_image, id="restore"),
]


@pytest.mark.parametrize(("operation", "change"), CHANGES)
def test_a_change_is_sent_once_and_a_lost_answer_is_unsure(aws, ec2, operation, change):
    put(aws, image_item(1))
    aws.fail(operation, "server-error", times=None)

    with pytest.raises(Unsure):
        change(ec2, image_item(1)["ImageId"])

    assert aws.operations_called() == [operation]


def test_a_lost_answer_to_a_deregistration_is_unsure(aws, ec2):
    put(aws, image_item(1))
    aws.fail("DeregisterImage", "applied-then-dropped")

    with pytest.raises(Unsure):
        ec2.deregister_image(image_item(1)["ImageId"], deletes_snapshots=False)

    assert aws.operations_called() == ["DeregisterImage"]
