import pytest
from botocore.exceptions import ClientError

from sandbox.aws.inventory import REGIONS
from tests.sandbox.aws.things import (
    ACCOUNT,
    OTHER_ACCOUNT,
    client,
    code_of,
    put_image,
    put_instance,
    put_reserved,
    put_snapshot,
    put_volume,
)

THEIRS, ELSEWHERE = {"account": OTHER_ACCOUNT}, {"region": "us-east-1"}
CODES = [{"ProductCodeId": "6cd5fxzrad0cu2j23p692xytz", "ProductCodeType": "marketplace"}]


def refusal(act, *args, **kwargs):
    with pytest.raises(ClientError) as error:
        act(*args, **kwargs)
    return code_of(error.value)


def by(name, value):
    return [{"Name": name, "Values": [value]}]


# Snapshots


def snapshots(aws, **asked):
    return [found["SnapshotId"] for found in client(aws).describe_snapshots(**asked)["Snapshots"]]


def test_snapshots_are_those_of_the_account_and_region(aws):
    own = put_snapshot(aws)
    put_snapshot(aws, place=THEIRS)
    put_snapshot(aws, place=ELSEWHERE)

    assert snapshots(aws, OwnerIds=["self"]) == snapshots(aws) == [own]
    assert snapshots(aws, OwnerIds=[ACCOUNT]) == [own]
    assert snapshots(aws, OwnerIds=[OTHER_ACCOUNT]) == []


def test_a_snapshot_is_told_with_its_members(aws):
    put_snapshot(aws, VolumeSize=20, Tags=[{"Key": "a", "Value": "b"}], Encrypted=True)

    (found,) = client(aws).describe_snapshots(OwnerIds=["self"])["Snapshots"]

    assert (found["VolumeSize"], found["Encrypted"], found["State"]) == (20, True, "completed")
    assert found["Tags"] == [{"Key": "a", "Value": "b"}]
    assert found["StartTime"].tzinfo is not None


SNAPSHOT_FILTERS = {
    "description": "of gold",
    "encrypted": "true",
    "owner-id": "777777777777",
    "owner-alias": "amazon",
    "progress": "50%",
    "snapshot-id": "snap-0777",
    "start-time": "2021-*",
    "status": "pending",
    "storage-tier": "archive",
    "tag:team": "web",
    "tag-key": "team",
    "volume-id": "vol-0777",
    "volume-size": "77",
}


@pytest.mark.parametrize("name", SNAPSHOT_FILTERS)
def test_snapshots_can_be_filtered_by(aws, name):
    put_snapshot(aws)
    wanted = put_snapshot(
        aws,
        SnapshotId="snap-0777",
        Description="of gold",
        Encrypted=True,
        OwnerId="777777777777",
        OwnerAlias="amazon",
        Progress="50%",
        StartTime="2021-01-01T00:00:00.000Z",
        State="pending",
        StorageTier="archive",
        VolumeId="vol-0777",
        VolumeSize=77,
        Tags=[{"Key": "team", "Value": "web"}],
    )

    assert snapshots(aws, Filters=by(name, SNAPSHOT_FILTERS[name])) == [wanted]


def test_product_codes_of_a_snapshot_are_an_attribute_its_billing_code_is_not(aws):
    snapshot_id = put_snapshot(aws, _billing="RunInstances:0010", _product_codes=CODES)

    answer = client(aws).describe_snapshot_attribute(
        SnapshotId=snapshot_id, Attribute="productCodes"
    )

    assert answer["SnapshotId"] == snapshot_id
    assert answer["ProductCodes"] == CODES
    assert "0010" not in str(answer)


def test_permissions_of_a_snapshot_are_an_attribute(aws):
    snapshot_id = put_snapshot(aws, _permissions=[{"UserId": OTHER_ACCOUNT}])

    answer = client(aws).describe_snapshot_attribute(
        SnapshotId=snapshot_id, Attribute="createVolumePermission"
    )

    assert answer["CreateVolumePermissions"] == [{"UserId": OTHER_ACCOUNT}]


@pytest.mark.parametrize("members", [{"place": THEIRS}, {"place": ELSEWHERE}], ids=str)
def test_attributes_are_those_of_own_snapshots(aws, members):
    asked = {"SnapshotId": put_snapshot(aws, **members), "Attribute": "productCodes"}

    code = refusal(client(aws).describe_snapshot_attribute, **asked)

    assert code == "InvalidSnapshot.NotFound"


# Ids


@pytest.mark.parametrize(
    ("method", "member", "aws_id", "code"),
    [
        ("describe_snapshots", "SnapshotIds", "snap-0123", "InvalidSnapshot.NotFound"),
        ("describe_snapshots", "SnapshotIds", "x", "InvalidSnapshotID.Malformed"),
        ("describe_volumes", "VolumeIds", "vol-0123", "InvalidVolume.NotFound"),
        ("describe_instances", "InstanceIds", "i-0123", "InvalidInstanceID.NotFound"),
        ("describe_instances", "InstanceIds", "x", "InvalidInstanceID.Malformed"),
        (
            "describe_instance_image_metadata",
            "InstanceIds",
            "i-0123",
            "InvalidInstanceID.NotFound",
        ),
        (
            "describe_reserved_instances",
            "ReservedInstancesIds",
            "00000000-0000-4000-8000-000000000000",
            "InvalidReservedInstancesId",
        ),
    ],
)
def test_an_id_that_leads_nowhere_fails_the_whole_call(aws, method, member, aws_id, code):
    assert refusal(getattr(client(aws), method), **{member: [aws_id]}) == code


# Volumes


VOLUME_FILTERS = {
    "attachment.device": "/dev/sdf",
    "attachment.instance-id": "i-0777",
    "attachment.status": "attached",
    "availability-zone": "eu-west-1c",
    "create-time": "2021-*",
    "encrypted": "true",
    "size": "77",
    "snapshot-id": "snap-0777",
    "status": "available",
    "tag:team": "web",
    "volume-id": "vol-0777",
    "volume-type": "io2",
}


@pytest.mark.parametrize("name", VOLUME_FILTERS)
def test_volumes_can_be_filtered_by(aws, name):
    put_volume(aws)
    put_volume(aws, place=THEIRS, VolumeId="vol-0888")
    put_volume(
        aws,
        VolumeId="vol-0777",
        Attachments=[{"InstanceId": "i-0777", "Device": "/dev/sdf", "State": "attached"}],
        AvailabilityZone="eu-west-1c",
        CreateTime="2021-01-01T00:00:00.000Z",
        Encrypted=True,
        Size=77,
        SnapshotId="snap-0777",
        State="available",
        VolumeType="io2",
        Tags=[{"Key": "team", "Value": "web"}],
    )

    found = client(aws).describe_volumes(Filters=by(name, VOLUME_FILTERS[name]))["Volumes"]

    assert [volume["VolumeId"] for volume in found] == ["vol-0777"]


def test_a_volume_tells_where_it_comes_from_and_hangs(aws):
    attachment = {"InstanceId": "i-0777", "Device": "/dev/xvda", "State": "attached"}
    volume_id = put_volume(aws, SnapshotId="snap-0777", Attachments=[attachment])

    (volume,) = client(aws).describe_volumes(VolumeIds=[volume_id])["Volumes"]

    assert volume["SnapshotId"] == "snap-0777"
    assert volume["Attachments"] == [attachment]


# Instances


def instances(aws, **asked):
    reservations = client(aws).describe_instances(**asked)["Reservations"]
    return [item for reservation in reservations for item in reservation["Instances"]]


def test_an_instance_tells_its_code_and_when_it_got_it(aws):
    put_instance(
        aws,
        "RunInstances:0002",
        UsageOperationUpdateTime="2026-10-01T00:00:00.000Z",
        ProductCodes=CODES,
    )

    (instance,) = instances(aws)

    assert instance["UsageOperation"] == "RunInstances:0002"
    assert instance["PlatformDetails"] == "Windows"
    assert instance["Platform"] == "windows"
    assert instance["UsageOperationUpdateTime"].isoformat() == "2026-10-01T00:00:00+00:00"
    assert instance["ProductCodes"] == CODES


def test_a_launch_belongs_to_the_account(aws):
    put_instance(aws)
    put_instance(aws, place=THEIRS)

    (reservation,) = client(aws).describe_instances()["Reservations"]

    assert reservation["OwnerId"] == ACCOUNT
    assert reservation["ReservationId"].startswith("r-")


INSTANCE_FILTERS = {
    "architecture": "arm64",
    "availability-zone": "eu-west-1c",
    "availability-zone-id": "euw1-az1",
    "block-device-mapping.volume-id": "vol-0777",
    "image-id": "ami-0777",
    "instance-id": "i-0777",
    "instance-lifecycle": "spot",
    "instance-state-code": "80",
    "instance-state-name": "stopped",
    "instance-type": "m6i.*",
    "launch-time": "2021-*",
    "platform": "windows",
    "platform-details": "Windows",
    "product-code": "6cd5fxzrad0cu2j23p692xytz",
    "product-code.type": "marketplace",
    "root-device-name": "/dev/sda1",
    "root-device-type": "ebs",
    "tag:team": "web",
    "tenancy": "dedicated",
    "usage-operation": "RunInstances:0002",
    "usage-operation-update-time": "2022-*",
}


def put_special_instance(aws):
    return put_instance(
        aws,
        "RunInstances:0002",
        InstanceId="i-0777",
        Architecture="arm64",
        BlockDeviceMappings=[{"DeviceName": "/dev/sda1", "Ebs": {"VolumeId": "vol-0777"}}],
        ImageId="ami-0777",
        InstanceLifecycle="spot",
        InstanceType="m6i.xlarge",
        LaunchTime="2021-01-01T00:00:00.000Z",
        Placement={
            "AvailabilityZone": "eu-west-1c",
            "AvailabilityZoneId": "euw1-az1",
            "Tenancy": "dedicated",
        },
        ProductCodes=CODES,
        RootDeviceName="/dev/sda1",
        RootDeviceType="ebs",
        State={"Code": 80, "Name": "stopped"},
        Tags=[{"Key": "team", "Value": "web"}],
        UsageOperationUpdateTime="2022-01-01T00:00:00.000Z",
    )


@pytest.mark.parametrize("name", INSTANCE_FILTERS)
def test_instances_can_be_filtered_by(aws, name):
    put_instance(aws)
    wanted = put_special_instance(aws)

    found = instances(aws, Filters=by(name, INSTANCE_FILTERS[name]))

    assert [instance["InstanceId"] for instance in found] == [wanted]


def test_ids_and_pages_exclude_each_other(aws):
    asked = {"InstanceIds": [put_instance(aws)], "MaxResults": 5}

    assert refusal(client(aws).describe_instances, **asked) == "InvalidParameterCombination"


# DescribeInstanceImageMetadata


def metadata(aws, **asked):
    return client(aws).describe_instance_image_metadata(**asked)["InstanceImageMetadata"]


def test_the_image_of_an_instance_is_told(aws):
    image_id = put_image(aws, place=THEIRS, Name="theirs", ImageOwnerAlias="amazon", Public=True)
    instance_id = put_instance(aws, ImageId=image_id)

    (found,) = metadata(aws)

    assert (found["InstanceId"], found["OwnerId"]) == (instance_id, ACCOUNT)
    assert (found["AvailabilityZone"], found["ZoneId"]) == ("eu-west-1a", "euw1-az2")
    assert found["ImageMetadata"]["Name"] == "theirs"
    assert found["ImageMetadata"]["OwnerId"] == OTHER_ACCOUNT
    assert found["ImageMetadata"]["ImageOwnerAlias"] == "amazon"
    assert found["ImageMetadata"]["State"] == "available"
    assert found["ImageMetadata"]["IsPublic"] is True
    assert "PlatformDetails" not in found["ImageMetadata"]


def test_the_image_of_an_instance_is_told_when_it_is_gone(aws):
    memory = {"Name": "long-gone", "OwnerId": ACCOUNT, "State": "deregistered"}
    put_instance(aws, ImageId="ami-0777", _image=memory)

    (found,) = metadata(aws)

    assert found["ImageMetadata"] == {"ImageId": "ami-0777", **memory}


@pytest.mark.parametrize(
    "name",
    [
        "availability-zone",
        "instance-id",
        "instance-state-name",
        "instance-type",
        "launch-time",
        "tag:team",
    ],
)
def test_image_metadata_can_be_filtered_by(aws, name):
    put_instance(aws)
    wanted = put_special_instance(aws)

    found = metadata(aws, Filters=by(name, INSTANCE_FILTERS[name]))

    assert [item["InstanceId"] for item in found] == [wanted]


def test_image_metadata_of_some_instances(aws):
    put_instance(aws)
    wanted = put_instance(aws)

    (found,) = metadata(aws, InstanceIds=[wanted])

    assert found["InstanceId"] == wanted


# Reserved Instances


def purchases(aws, **asked):
    found = client(aws).describe_reserved_instances(**asked)["ReservedInstances"]
    return [item["ReservedInstancesId"] for item in found]


def test_all_purchases_come_at_once_whatever_their_state(aws):
    states = ["active", "retired", "queued", "payment-pending"]
    bought = [put_reserved(aws, State=state) for state in states]

    answer = client(aws).describe_reserved_instances()

    assert [item["ReservedInstancesId"] for item in answer["ReservedInstances"]] == bought
    assert "NextToken" not in answer


def test_a_purchase_is_told_with_its_prices_and_times(aws):
    put_reserved(aws, FixedPrice=60.5, RecurringCharges=[{"Amount": 0.007, "Frequency": "Hourly"}])

    (bought,) = client(aws).describe_reserved_instances()["ReservedInstances"]

    assert (bought["FixedPrice"], bought["UsagePrice"]) == (60.5, 0.0)
    assert bought["RecurringCharges"] == [{"Amount": 0.007, "Frequency": "Hourly"}]
    assert bought["End"].isoformat() == "2027-01-01T00:00:00+00:00"


RESERVED_FILTERS = {
    "availability-zone": "eu-west-1a",
    "availability-zone-id": "euw1-az2",
    "duration": "94608000",
    "end": "2029-*",
    "fixed-price": "77.5",
    "instance-type": "r5.large",
    "product-description": "Windows",
    "reserved-instances-id": "*-777777777777",
    "scope": "Availability Zone",
    "start": "2025-*",
    "state": "retired",
    "tag:team": "web",
    "usage-price": "0.25",
}


@pytest.mark.parametrize("name", RESERVED_FILTERS)
def test_purchases_can_be_filtered_by(aws, name):
    put_reserved(aws)
    wanted = "00000000-0000-4000-8000-777777777777"
    aws.state.put("reserved_instances", wanted, special_purchase(wanted), ACCOUNT, "eu-west-1")

    assert purchases(aws, Filters=by(name, RESERVED_FILTERS[name])) == [wanted]


def special_purchase(aws_id):
    return {
        "ReservedInstancesId": aws_id,
        "AvailabilityZone": "eu-west-1a",
        "AvailabilityZoneId": "euw1-az2",
        "Duration": 94_608_000,
        "End": "2029-01-01T00:00:00.000Z",
        "FixedPrice": 77.5,
        "InstanceType": "r5.large",
        "ProductDescription": "Windows",
        "Scope": "Availability Zone",
        "Start": "2025-01-01T00:00:00.000Z",
        "State": "retired",
        "Tags": [{"Key": "team", "Value": "web"}],
        "UsagePrice": 0.25,
    }


@pytest.mark.parametrize(
    ("member", "value"), [("OfferingClass", "convertible"), ("OfferingType", "All Upfront")]
)
def test_purchases_can_be_chosen_by_their_offering(aws, member, value):
    put_reserved(aws)
    wanted = put_reserved(aws, **{member: value})

    assert purchases(aws, **{member: value}) == [wanted]


def test_purchases_can_be_chosen_by_id(aws):
    put_reserved(aws)
    wanted = put_reserved(aws)

    assert purchases(aws, ReservedInstancesIds=[wanted]) == [wanted]


# Modifications of purchases


def modifications(aws, **asked):
    answer = client(aws).describe_reserved_instances_modifications(**asked)
    return [
        found["ModificationResults"][0]["ReservedInstancesId"]
        for found in answer["ReservedInstancesModifications"]
    ]


def test_a_modification_tells_what_it_was_made_of(aws):
    first, second = put_reserved(aws), put_reserved(aws)
    made = put_reserved(aws, _modified_from=[first, second], InstanceCount=4)

    answer = client(aws).describe_reserved_instances_modifications()

    (told,) = answer["ReservedInstancesModifications"]
    assert told["ReservedInstancesIds"] == [
        {"ReservedInstancesId": first},
        {"ReservedInstancesId": second},
    ]
    (result,) = told["ModificationResults"]
    assert result["ReservedInstancesId"] == made
    assert result["TargetConfiguration"]["InstanceCount"] == 4
    assert told["Status"] == "fulfilled"


@pytest.mark.parametrize(
    "asked",
    [
        lambda before, made: {"Filters": by("reserved-instances-id", before)},
        lambda before, made: {"Filters": by("modification-result.reserved-instances-id", made)},
        lambda before, made: {"ReservedInstancesModificationIds": [f"rimod-{made}"]},
    ],
    ids=["what was modified", "what was made", "its own id"],
)
def test_modifications_can_be_chosen(aws, asked):
    before = put_reserved(aws)
    put_reserved(aws, _modified_from=["00000000-0000-4000-8000-999999999999"])
    made = put_reserved(aws, _modified_from=[before])

    assert modifications(aws, **asked(before, made)) == [made]


def test_modifications_come_in_pages(aws):
    before = put_reserved(aws)
    made = [put_reserved(aws, _modified_from=[before]) for _ in range(101)]

    first = client(aws).describe_reserved_instances_modifications()

    assert len(first["ReservedInstancesModifications"]) == 100
    assert modifications(aws, NextToken=first["NextToken"]) == made[100:]


# Regions and encryption


def regions(aws, **asked):
    return [found["RegionName"] for found in client(aws).describe_regions(**asked)["Regions"]]


def test_the_regions_are_those_that_are_enabled(aws):
    assert regions(aws) == list(REGIONS)


def test_all_regions_are_those_one_could_enable_too(aws):
    found = client(aws).describe_regions(AllRegions=True)["Regions"]

    assert {item["OptInStatus"] for item in found} == {"opt-in-not-required", "not-opted-in"}


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"RegionNames": ["us-east-1"]}, ["us-east-1"]),
        ({"RegionNames": ["af-south-1"]}, ["af-south-1"]),
        ({"Filters": by("region-name", "us-*")}, ["us-east-1", "us-west-2"]),
        ({"Filters": by("endpoint", "ec2.eu-west-1.amazonaws.com")}, ["eu-west-1"]),
        ({"AllRegions": True, "Filters": by("opt-in-status", "not-opted-in")}, ["af-south-1"]),
    ],
    ids=["by name", "not enabled", "filter", "endpoint", "status"],
)
def test_regions_can_be_chosen(aws, asked, names):
    assert regions(aws, **asked) == names


def test_a_region_that_does_not_exist_is_refused(aws):
    assert refusal(regions, aws, RegionNames=["moon-1"]) == "InvalidParameterValue"


@pytest.mark.parametrize(("region", "is_on"), [("eu-west-1", True), ("us-east-1", False)])
def test_encryption_by_default_is_a_setting_of_account_and_region(aws, region, is_on):
    aws.state.accounts[ACCOUNT] = {"Name": "base", "EncryptedRegions": ["eu-west-1"]}

    answer = client(aws, region=region).get_ebs_encryption_by_default()

    assert answer["EbsEncryptionByDefault"] is is_on
