import pytest

from registry.registration import check
from registry.registration.volumes import LIMITS, Volume
from registry.registration.volumes import problems as problems_of
from tests.registration.wanted import SNAPSHOT_ID, problems

DATA = {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 8, "VolumeType": "gp3"}}


@pytest.mark.parametrize(
    ("devices", "says"),
    [
        pytest.param([DATA, DATA], "/dev/sdf is given twice", id="twice"),
        pytest.param([{**DATA, "DeviceName": "/dev/xvda"}], "/dev/xvda is given twice", id="root"),
        pytest.param([{**DATA, "DeviceName": "sda; rm"}], "write a device name", id="no name"),
        pytest.param([{"DeviceName": "/dev/sdf"}], "say one of", id="nothing on it"),
        pytest.param([{**DATA, "VirtualName": "ephemeral0"}], "say one of", id="two things on it"),
        pytest.param([{**DATA, "Colour": "red"}], "there is no Colour", id="unknown member"),
        pytest.param(
            [{"DeviceName": "/dev/sdf", "VirtualName": "ram"}], "ephemeral0", id="no store"
        ),
        pytest.param([{"DeviceName": "/dev/sdf", "Ebs": {}}], "give a size", id="no size"),
        pytest.param(
            [{"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": "8"}}], "whole numbers", id="text"
        ),
        pytest.param(
            [{"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": True}}], "whole numbers", id="truth"
        ),
        pytest.param(
            [{"DeviceName": "/dev/sdf", "Ebs": {"SnapshotId": "snap-0bad"}}],
            "no usable snapshot snap-0bad",
            id="unknown snapshot",
        ),
        pytest.param(
            [{"DeviceName": "/dev/sdf", "Ebs": {"SnapshotId": SNAPSHOT_ID, "Encrypted": False}}],
            "leave the encryption out",
            id="encryption of a snapshot",
        ),
        pytest.param(
            [{"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 8, "KmsKeyId": "k"}}],
            "no KmsKeyId to choose",
            id="key",
        ),
        pytest.param(
            [{"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 8, "VolumeType": "st1"}}],
            "use 125 to 16,384 GiB for st1",
            id="too small for its type",
        ),
        pytest.param(
            [{"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 0}}],
            "use 1 to 65,536 GiB for gp3",
            id="no space",
        ),
        pytest.param(
            [{"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": None}}], "whole numbers", id="null"
        ),
        pytest.param(
            [{"DeviceName": "/dev/sdf", "Ebs": {"SnapshotId": [SNAPSHOT_ID]}}],
            "no usable snapshot",
            id="list of snapshots",
        ),
        pytest.param(
            [{"DeviceName": "/dev/sdf", "Ebs": {"SnapshotId": "", "VolumeSize": 8}}],
            "no usable snapshot",
            id="empty snapshot",
        ),
        pytest.param(
            [{"DeviceName": "/dev/sdf", "Ebs": {"SnapshotId": SNAPSHOT_ID, "VolumeSize": 7}}],
            "use at least 8 GiB, the size of its snapshot",
            id="smaller than its snapshot",
        ),
        pytest.param(
            [{"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 8, "Encrypted": "yes"}}],
            "true or false",
            id="encrypted by a text",
        ),
        pytest.param(
            [{"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 8, "DeleteOnTermination": 1}}],
            "true or false",
            id="deleted by a number",
        ),
        pytest.param(
            [{"DeviceName": "/dev/sdf", "NoDevice": "please"}], "NoDevice empty", id="a device"
        ),
        pytest.param("/dev/sdf", "as a list of mappings", id="no list"),
        pytest.param(["/dev/sdf"], "as a list of mappings", id="no mapping"),
        pytest.param([{"DeviceName": "/dev/sdf", "Ebs": 8}], "as a mapping", id="no volume"),
    ],
)
def test_what_is_wrong_with_a_further_device_is_said(asked, devices, says):
    assert says in problems(asked(block_devices=devices))["block_devices"]


def test_more_devices_than_an_instance_can_have_are_refused(asked):
    names = [f"/dev/sd{letter}{number}" for letter in "fghi" for number in range(1, 13)]
    devices = [{**DATA, "DeviceName": name} for name in names]

    assert "at most 40" in problems(asked(block_devices=devices))["block_devices"]


@pytest.mark.parametrize(
    "device",
    [
        pytest.param(DATA, id="empty volume"),
        pytest.param({"DeviceName": "/dev/sdf", "Ebs": {"SnapshotId": SNAPSHOT_ID}}, id="snapshot"),
        pytest.param({"DeviceName": "/dev/sdf", "VirtualName": "ephemeral0"}, id="instance store"),
        pytest.param({"DeviceName": "/dev/sdf", "NoDevice": ""}, id="no device"),
        pytest.param(
            {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 8, "Encrypted": True}}, id="encrypted"
        ),
    ],
)
def test_a_further_device_that_aws_takes_is_not_refused(asked, device):
    check(asked(block_devices=[device]))


def said(**fields):
    return list(problems_of(Volume(**{"volume_type": "gp3"} | fields)))


@pytest.mark.parametrize("kind", LIMITS)
def test_the_least_and_the_most_of_every_type_are_taken(kind):
    limits = LIMITS[kind]
    speeds = [limits.iops or (None, None), limits.throughput or (None, None)]
    least, most = ([size, iops, mib] for size, iops, mib in zip(limits.size, *speeds, strict=True))

    assert list(problems_of(Volume(kind, *least))) == []
    assert list(problems_of(Volume(kind, *most))) == []


@pytest.mark.parametrize("kind", LIMITS)
def test_a_size_beyond_those_of_its_type_is_refused(kind):
    least, most = LIMITS[kind].size
    iops = 3_000 if LIMITS[kind].needs_iops else None
    text = f"Use {least:,} to {most:,} GiB for {kind}."

    assert list(problems_of(Volume(kind, least - 1, iops))) == [("volume_size", text)]
    assert list(problems_of(Volume(kind, most + 1, iops))) == [("volume_size", text)]


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        pytest.param({"iops": 2_999}, ("iops", "Use 3,000 to 80,000 IOPS for gp3."), id="slow gp3"),
        pytest.param(
            {"iops": 80_001}, ("iops", "Use 3,000 to 80,000 IOPS for gp3."), id="fast gp3"
        ),
        pytest.param(
            {"volume_type": "gp2", "iops": 3_000},
            ("iops", "Leave IOPS empty: gp2 volumes have none to choose."),
            id="gp2 with IOPS",
        ),
        pytest.param(
            {"volume_type": "io1"},
            ("iops", "Say how many IOPS: io1 volumes need them."),
            id="io1 without IOPS",
        ),
        pytest.param(
            {"throughput": 124}, ("throughput", "Use 125 to 2,000 MiB/s."), id="low throughput"
        ),
        pytest.param(
            {"volume_type": "io2", "iops": 100, "throughput": 125},
            ("throughput", "Leave the throughput empty: only gp3 volumes have one to choose."),
            id="io2 with throughput",
        ),
        pytest.param(
            {"volume_type": "sc1", "size": 125, "is_root": True},
            (
                "volume_type",
                "A root volume can't be sc1. Choose gp3, gp2, io2, io1 or standard.",
            ),
            id="sc1 as root",
        ),
        pytest.param(
            {"size": 0}, ("volume_size", "Use 1 to 65,536 GiB for gp3."), id="no space at all"
        ),
        pytest.param(
            {"size": 7, "least": 8},
            ("volume_size", "Use at least 8 GiB, the size of its snapshot."),
            id="smaller than its snapshot",
        ),
        pytest.param(
            {"volume_type": "standard", "least": 1_025},
            ("volume_size", "Use 1 to 1,024 GiB for standard."),
            id="a snapshot too large for its type",
        ),
    ],
)
def test_what_is_wrong_with_a_volume_is_said_at_its_field(fields, found):
    assert said(**fields) == [found]
