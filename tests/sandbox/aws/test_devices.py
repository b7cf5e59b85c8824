import pytest
from botocore.exceptions import ClientError

from tests.sandbox.aws.things import (
    OTHER_ACCOUNT,
    client,
    code_of,
    image_of,
    put_snapshot,
    registration,
)


def register(aws, *devices):
    asked = registration("", BlockDeviceMappings=list(devices))
    return client(aws).register_image(**asked)["ImageId"]


def root(aws, **ebs):
    snapshot_id = ebs.pop("SnapshotId", None) or put_snapshot(aws, VolumeSize=8)
    return {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot_id, **ebs}}


def data(**ebs):
    return {"DeviceName": "/dev/sdb", "Ebs": ebs}


def refused(aws, *devices):
    with pytest.raises(ClientError) as error:
        register(aws, *devices)
    return code_of(error.value)


def shown(aws, *devices):
    return image_of(aws, register(aws, *devices))["BlockDeviceMappings"]


@pytest.mark.parametrize("value", [True, False])
def test_encryption_with_a_snapshot_is_refused_whatever_the_value(aws, value):
    assert refused(aws, root(aws, Encrypted=value)) == "InvalidBlockDeviceMapping"


def test_an_empty_volume_may_be_encrypted(aws):
    devices = shown(aws, root(aws), data(VolumeSize=10, Encrypted=True))

    assert devices[1]["Ebs"]["Encrypted"] is True


def test_encryption_follows_the_snapshot(aws):
    snapshot_id = put_snapshot(aws, Encrypted=True)

    assert shown(aws, root(aws, SnapshotId=snapshot_id))[0]["Ebs"]["Encrypted"] is True


def test_a_volume_may_be_larger_than_its_snapshot(aws):
    assert shown(aws, root(aws, VolumeSize=9))[0]["Ebs"]["VolumeSize"] == 9


@pytest.mark.parametrize(
    "device",
    [
        pytest.param({"DeviceName": "/dev/sdb", "VirtualName": "ephemeral0"}, id="a store"),
        pytest.param({"DeviceName": "/dev/sdb", "VirtualName": "ephemeral23"}, id="many stores"),
        pytest.param({"DeviceName": "/dev/sdb", "NoDevice": ""}, id="nothing"),
    ],
)
def test_devices_without_a_volume_are_taken(aws, device):
    assert shown(aws, root(aws), device)[1] == device


@pytest.mark.parametrize("name", ["ephemeral", "ephemeral-1", "disk0"])
def test_an_instance_store_has_a_number(aws, name):
    device = {"DeviceName": "/dev/sdb", "VirtualName": name}

    assert refused(aws, root(aws), device) == "InvalidBlockDeviceMapping"


def test_the_ratio_of_iops_to_size_is_not_checked(aws):
    (device,) = shown(aws, root(aws, VolumeType="io1", VolumeSize=8, Iops=64_000))

    assert device["Ebs"]["Iops"] == 64_000


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"State": "pending"}, "IncorrectState", id="pending"),
        pytest.param({"State": "error"}, "IncorrectState", id="error"),
        pytest.param({"State": "recoverable"}, "IncorrectState", id="in the recycle bin"),
        pytest.param({"StorageTier": "archive"}, "IncorrectState", id="archived"),
        pytest.param(
            {"place": {"region": "us-east-1"}}, "InvalidSnapshot.NotFound", id="another region"
        ),
        pytest.param(
            {"place": {"account": OTHER_ACCOUNT}}, "InvalidSnapshot.NotFound", id="another account"
        ),
    ],
)
def test_a_snapshot_must_be_whole_and_ours(aws, changes, code):
    snapshot_id = put_snapshot(aws, **changes)

    assert refused(aws, root(aws, SnapshotId=snapshot_id)) == code


@pytest.mark.parametrize(
    ("snapshot_id", "code"),
    [("snap-0123", "InvalidSnapshot.NotFound"), ("disk-1", "InvalidSnapshotID.Malformed")],
)
def test_a_snapshot_must_be_there(aws, snapshot_id, code):
    assert refused(aws, root(aws, SnapshotId=snapshot_id)) == code


@pytest.mark.parametrize(
    ("ebs", "code"),
    [
        pytest.param({"VolumeSize": 7}, "InvalidBlockDeviceMapping", id="too small"),
        pytest.param({"VolumeSize": 65_537, "VolumeType": "gp3"}, "InvalidBlockDeviceMapping"),
        pytest.param({"VolumeSize": 16_385, "VolumeType": "gp2"}, "InvalidBlockDeviceMapping"),
        pytest.param({"VolumeType": "sc1", "VolumeSize": 500}, "InvalidBlockDeviceMapping"),
        pytest.param({"VolumeType": "gp3", "Iops": 2_999}, "InvalidBlockDeviceMapping"),
        pytest.param({"VolumeType": "gp2", "Iops": 3_000}, "InvalidBlockDeviceMapping"),
        pytest.param({"VolumeType": "gp3", "Throughput": 124}, "InvalidBlockDeviceMapping"),
        pytest.param({"VolumeType": "gp2", "Throughput": 125}, "InvalidBlockDeviceMapping"),
        pytest.param({"VolumeType": "io2"}, "MissingParameter", id="io2 without IOPS"),
        pytest.param({"KmsKeyId": "alias/x"}, "InvalidBlockDeviceMapping", id="a key"),
    ],
)
def test_a_root_volume_cannot_be(aws, ebs, code):
    assert refused(aws, root(aws, **ebs)) == code


@pytest.mark.parametrize(
    "ebs",
    [
        pytest.param({"VolumeType": "gp3", "Iops": 3_000, "Throughput": 125}, id="gp3"),
        pytest.param({"VolumeType": "io1", "Iops": 100}, id="io1"),
        pytest.param({"VolumeType": "io2", "Iops": 256_000}, id="io2"),
        pytest.param({"VolumeType": "standard"}, id="standard"),
        pytest.param({"VolumeType": "gp2", "DeleteOnTermination": False}, id="gp2"),
    ],
)
def test_a_root_volume_can_be(aws, ebs):
    (device,) = shown(aws, root(aws, **ebs))

    assert {key: device["Ebs"][key] for key in ebs} == ebs


def test_the_root_device_must_be_among_the_devices(aws):
    other = root(aws) | {"DeviceName": "/dev/sda1"}

    assert refused(aws, other) == "InvalidBlockDeviceMapping"


def test_the_root_device_must_have_a_snapshot(aws):
    empty = {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 10}}

    assert refused(aws, empty) == "InvalidBlockDeviceMapping"


def test_a_device_is_given_once(aws):
    assert refused(aws, root(aws), root(aws)) == "InvalidBlockDeviceMapping"


def test_a_volume_needs_a_size_or_a_snapshot(aws):
    assert refused(aws, root(aws), data(VolumeType="gp3")) == "MissingParameter"
