import json
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.core.serializers.json import DjangoJSONEncoder
from hypothesis import given
from hypothesis import strategies as st

from registry.aws import (
    Ec2,
    ImageRecord,
    InstanceRecord,
    Malformed,
    ReservedInstanceRecord,
    SnapshotRecord,
    VolumeRecord,
)
from tests.data.hostile import mangled
from tests.data.items import (
    image_item,
    instance_item,
    put,
    reserved_item,
    snapshot_item,
    volume_item,
)

KINDS = [
    pytest.param(Ec2.list_images, ImageRecord, image_item, id="image"),
    pytest.param(Ec2.list_snapshots, SnapshotRecord, snapshot_item, id="snapshot"),
    pytest.param(Ec2.list_volumes, VolumeRecord, volume_item, id="volume"),
    pytest.param(Ec2.list_instances, InstanceRecord, instance_item, id="instance"),
    pytest.param(Ec2.list_reserved_instances, ReservedInstanceRecord, reserved_item, id="purchase"),
]


@pytest.mark.parametrize(("ask", "record", "item"), KINDS)
def test_boto3_and_the_command_line_say_the_same(aws, ec2, ask, record, item):
    printed = json.loads(json.dumps(item()))
    put(aws, item())

    (asked,) = ask(ec2)

    assert asked == record.parse(printed)


@pytest.mark.parametrize(("ask", "record", "item"), KINDS)
def test_the_id_is_all_that_a_thing_needs(ask, record, item):
    name, aws_id = next(iter(item().items()))

    found = record.parse({name: aws_id})

    assert found.aws_id == aws_id


@pytest.mark.parametrize(("ask", "record", "item"), KINDS)
def test_a_thing_without_an_id_is_refused(ask, record, item):
    with pytest.raises(Malformed, match="Id is missing"):
        record.parse({"Name": "nameless"})


@pytest.mark.parametrize(("ask", "record", "item"), KINDS)
def test_members_that_nobody_knows_yet_are_passed_over(ask, record, item):
    assert record.parse(item(NewIn2030={"Depth": [1]})) == record.parse(item())


@pytest.mark.parametrize(("ask", "record", "item"), KINDS)
@given(data=st.data())
def test_a_mangled_thing_is_refused_or_can_be_stored(ask, record, item, data):
    mangled_item = data.draw(mangled(item()))

    try:
        found = record.parse(mangled_item)
    except Malformed:
        return

    text = json.dumps(asdict(found), cls=DjangoJSONEncoder, ensure_ascii=False, allow_nan=False)
    assert "\\u0000" not in text.replace("\\\\", "")
    assert text.encode().decode() == text


def test_an_image_is_read_whole():
    found = ImageRecord.parse(
        image_item(
            Platform="Windows",
            StateReason={"Code": "Client.Error", "Message": "no"},
            SourceInstanceId="i-1",
            SourceImageId="ami-2",
            SourceImageRegion="us-east-1",
            ProductCodes=[{"ProductCodeId": "abc", "ProductCodeType": "marketplace"}],
            TpmSupport="v2.0",
            ImageOwnerAlias="self",
        )
    )

    assert found.platform == "windows"
    assert found.state_reason == "no"
    assert found.root_snapshot_id == "snap-00000000000000001"
    assert found.source_instance_id == "i-1"
    assert found.source_image_id == "ami-2"
    assert found.source_image_region == "us-east-1"
    assert found.product_codes == [{"id": "abc", "type": "marketplace"}]
    assert found.created_at == datetime(2026, 10, 1, 8, 30, tzinfo=UTC)
    assert found.deprecated_at == datetime(2028, 10, 1, 8, 30, tzinfo=UTC)
    assert found.last_launched_at == datetime(2026, 11, 20, 6, tzinfo=UTC)
    assert found.tags == {"team": "web", "empty": ""}
    assert found.ena_support is True
    assert len(found.block_devices) == 2


@pytest.mark.parametrize(
    "devices",
    [
        pytest.param([], id="no device"),
        pytest.param([{"DeviceName": "/dev/xvda"}], id="an instance store"),
        pytest.param([{"DeviceName": "/dev/sdb", "Ebs": {"SnapshotId": "snap-1"}}], id="another"),
        pytest.param([{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 8}}], id="an empty disk"),
        pytest.param([{"DeviceName": "/dev/xvda", "NoDevice": ""}], id="none there"),
    ],
)
def test_an_image_without_a_root_snapshot_has_none(devices):
    assert ImageRecord.parse(image_item(BlockDeviceMappings=devices)).root_snapshot_id == ""


def test_hostile_text_in_a_device_is_made_storable():
    devices = [{"DeviceName": "\x00", "Ebs": {"SnapshotId": "\ud800", "\x00": [{"a": "\x00"}]}}]

    found = ImageRecord.parse(image_item(BlockDeviceMappings=devices))

    assert found.block_devices == [
        {"DeviceName": "\ufffd", "Ebs": {"SnapshotId": "\ufffd", "\ufffd": [{"a": "\ufffd"}]}}
    ]


def test_a_snapshot_has_the_name_of_its_tag():
    assert SnapshotRecord.parse(snapshot_item()).name == "root of web-1"


def test_a_volume_knows_where_it_hangs():
    found = VolumeRecord.parse(volume_item())

    assert found.attachments == [{"instance_id": "i-00000000000000001", "device": "/dev/xvda"}]


def test_an_instance_is_read_whole():
    found = InstanceRecord.parse(instance_item(InstanceLifecycle="spot"))

    assert found.state == "running"
    assert found.availability_zone == "eu-west-1a"
    assert found.availability_zone_id == "euw1-az1"
    assert found.tenancy == "default"
    assert found.lifecycle == "spot"
    assert found.volumes == {"/dev/xvda": "vol-00000000000000001"}
    assert found.usage_operation_updated_at == datetime(2026, 9, 1, 8, tzinfo=UTC)
    assert found.name == "web-1"


def test_an_instance_whose_tenancy_was_not_recorded_shares_its_host():
    assert InstanceRecord.parse({"InstanceId": "i-1"}).tenancy == "default"


@pytest.mark.parametrize(
    ("members", "scope"),
    [
        ({"Scope": "Region"}, "Region"),
        ({"Scope": "Availability Zone", "AvailabilityZone": "eu-west-1a"}, "Availability Zone"),
        ({"AvailabilityZone": "eu-west-1a"}, "Availability Zone"),
        ({}, "Region"),
    ],
    ids=["regional", "zonal", "zonal, before there were regional ones", "nothing said"],
)
def test_a_purchase_is_zonal_or_regional(members, scope):
    found = ReservedInstanceRecord.parse({"ReservedInstancesId": "a", **members})

    assert found.scope == scope


@pytest.mark.parametrize(
    ("charges", "hourly"),
    [
        pytest.param([{"Amount": 0.041, "Frequency": "Hourly"}], Decimal("0.041"), id="hourly"),
        pytest.param([{"Amount": 0.041}], Decimal("0.041"), id="no frequency said"),
        pytest.param(
            [{"Amount": 0.1, "Frequency": "Hourly"}, {"Amount": 0.2, "Frequency": "Hourly"}],
            Decimal("0.3"),
            id="two",
        ),
        pytest.param([], Decimal(0), id="none"),
        pytest.param([{"Amount": 30.0, "Frequency": "Monthly"}], None, id="a rhythm nobody knows"),
        pytest.param(None, None, id="not recorded"),
    ],
)
def test_recurring_charges_are_summed_where_they_are_known(charges, hourly):
    found = ReservedInstanceRecord.parse(reserved_item(RecurringCharges=charges))

    assert found.recurring_hourly == hourly


def test_prices_that_were_not_recorded_are_unknown():
    found = ReservedInstanceRecord.parse({"ReservedInstancesId": "a"})

    assert (found.fixed_price, found.usage_price, found.recurring_hourly) == (None, None, None)
