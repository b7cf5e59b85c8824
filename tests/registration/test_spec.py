import json
import shlex
import uuid

import botocore.session
import pytest

from registry.models import Registration
from registry.registration import as_command
from registry.registration.spec import parameters, request, tags

KEY = uuid.UUID("11111111-2222-4333-8444-555555555555")
SNAPSHOT_ID = "snap-0123456789abcdef0"


def wanted(**fields):
    return Registration(
        **{
            "key": KEY,
            "region": "eu-west-1",
            "snapshot_id": SNAPSHOT_ID,
            "name": "golden",
            "expected_usage_operation": "RunInstances:0010",
        }
        | fields
    )


def test_dangerous_defaults_of_aws_are_never_left_to_it():
    found = parameters(wanted())

    assert found == {
        "Name": "golden",
        "Architecture": "x86_64",
        "VirtualizationType": "hvm",
        "EnaSupport": True,
        "RootDeviceName": "/dev/xvda",
        "BlockDeviceMappings": [
            {
                "DeviceName": "/dev/xvda",
                "Ebs": {
                    "SnapshotId": SNAPSHOT_ID,
                    "VolumeType": "gp3",
                    "DeleteOnTermination": True,
                },
            }
        ],
    }


def test_everything_that_was_asked_for_is_sent():
    found = parameters(
        wanted(
            description="RHEL 9.4 of November",
            architecture="arm64",
            boot_mode="uefi",
            root_device_name="/dev/sda1",
            volume_type="gp2",
            imds_support="v2.0",
        )
    )

    assert found == {
        "Name": "golden",
        "Description": "RHEL 9.4 of November",
        "Architecture": "arm64",
        "VirtualizationType": "hvm",
        "EnaSupport": True,
        "RootDeviceName": "/dev/sda1",
        "BlockDeviceMappings": [
            {
                "DeviceName": "/dev/sda1",
                "Ebs": {
                    "SnapshotId": SNAPSHOT_ID,
                    "VolumeType": "gp2",
                    "DeleteOnTermination": True,
                },
            }
        ],
        "BootMode": "uefi",
        "ImdsSupport": "v2.0",
    }


def test_the_image_carries_the_key_whatever_tags_were_asked_for():
    found = tags(wanted(tags={"team": "erp", "amiportal:registration": "somebody else's"}))

    assert found == {"team": "erp", "amiportal:registration": str(KEY)}


INSTANCE = {"method": "instance", "snapshot_id": "", "source_instance_id": "i-0123456789abcdef0"}
COPY = {
    "method": "copy",
    "snapshot_id": "",
    "source_image_id": "ami-0123456789abcdef0",
    "source_region": "us-east-1",
}
MANIFEST = {"method": "manifest", "snapshot_id": "", "image_location": "b/image.manifest.xml"}
# All that can be asked for, so that every parameter that is offered is sent.
EVERYTHING = {
    "RegisterImage": [
        wanted(
            description="d",
            tags={"team": "erp"},
            boot_mode="uefi",
            tpm_support="v2.0",
            imds_support="v2.0",
            sriov_net_support="simple",
            uefi_data="AAAA",
            kernel_id="aki-1",
            ramdisk_id="ari-1",
        ),
        wanted(**MANIFEST),
    ],
    "CreateImage": [wanted(description="d", boot_mode="uefi", no_reboot=True, **INSTANCE)],
    "CopyImage": [wanted(description="d", is_encrypted=True, kms_key_id="k", **COPY)],
}
# What is deliberately not offered, each with its reason.
NOT_OFFERED = {
    "RegisterImage": {
        "BillingProducts": "Only for accounts that AWS has authorized: it repairs no code.",
        "DryRun": "Sent by the check before the request, not chosen.",
    },
    "CreateImage": {
        "BlockDeviceMappings": "The devices are the instance's; of them only the deletion with "
        "an instance could be changed, which every launch can do.",
        "SnapshotLocation": "Only for instances in Local Zones.",
        "DryRun": "Sent by the check before the request, not chosen.",
    },
    "CopyImage": {
        "DestinationOutpostArn": "Outposts are not mirrored.",
        "DestinationAvailabilityZone": "Local Zones are not mirrored.",
        "DestinationAvailabilityZoneId": "Local Zones are not mirrored.",
        "SnapshotCopyCompletionDurationMinutes": "It is charged for each copied GiB, which nobody "
        "has been shown.",
        "DryRun": "Sent by the check before the request, not chosen.",
    },
}


@pytest.mark.parametrize("operation", ["RegisterImage", "CreateImage", "CopyImage"])
def test_no_parameter_of_aws_was_forgotten(operation):
    model = botocore.session.get_session().get_service_model("ec2").operation_model(operation)

    sent = {name for registration in EVERYTHING[operation] for name in request(registration)}

    assert sent | NOT_OFFERED[operation].keys() == model.input_shape.members.keys()
    assert not sent & NOT_OFFERED[operation].keys()


def test_every_member_of_a_volume_that_can_be_chosen_is_sent():
    shape = botocore.session.get_session().get_service_model("ec2").shape_for("EbsBlockDevice")
    chosen = wanted(volume_size=9, iops=3000, throughput=125)
    further = {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 8, "Encrypted": True}}
    chosen.block_devices = [further]

    root, other = parameters(chosen)["BlockDeviceMappings"]

    not_offered = {
        "KmsKeyId",  # RegisterImage does not support it
        "OutpostArn",
        "AvailabilityZone",
        "AvailabilityZoneId",
        "EbsCardIndex",
        "VolumeInitializationRate",
    }
    assert root["Ebs"].keys() | other["Ebs"].keys() == shape.members.keys() - not_offered


def test_an_image_of_an_instance_names_the_reboot():
    assert parameters(wanted(**INSTANCE)) == {
        "Name": "golden",
        "InstanceId": "i-0123456789abcdef0",
        "NoReboot": False,
    }


def test_a_copy_carries_a_token_and_a_mark_of_its_own():
    found = request(wanted(tags={"team": "erp"}, snapshot_tags={"keep": "yes"}, **COPY))

    assert found == {
        "Name": "golden",
        "SourceImageId": "ami-0123456789abcdef0",
        "SourceRegion": "us-east-1",
        "CopyImageTags": True,
        "ClientToken": str(KEY),
        "TagSpecifications": [
            {
                "ResourceType": "image",
                "Tags": [
                    {"Key": "team", "Value": "erp"},
                    {"Key": "amiportal:copy-of:ami-0123456789abcdef0", "Value": str(KEY)},
                ],
            },
            {"ResourceType": "snapshot", "Tags": [{"Key": "keep", "Value": "yes"}]},
        ],
    }


def test_the_further_devices_follow_the_root():
    device = {"DeviceName": "/dev/sdf", "VirtualName": "ephemeral0"}

    found = parameters(wanted(block_devices=[device]))["BlockDeviceMappings"]

    assert [one["DeviceName"] for one in found] == ["/dev/xvda", "/dev/sdf"]
    assert found[1] == device


def test_the_type_of_a_further_volume_is_never_left_to_aws():
    device = {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 8}}

    _, found = parameters(wanted(block_devices=[device]))["BlockDeviceMappings"]

    assert found["Ebs"] == {"VolumeSize": 8, "VolumeType": "gp3"}


def test_a_manifest_has_no_root_volume():
    found = parameters(wanted(**MANIFEST))

    assert found["ImageLocation"] == "b/image.manifest.xml"
    assert "RootDeviceName" not in found
    assert "BlockDeviceMappings" not in found


@pytest.mark.parametrize(
    ("fields", "name"),
    [({}, "register-image"), (INSTANCE, "create-image"), (COPY, "copy-image")],
)
def test_the_call_can_be_read_as_a_command(fields, name):
    registration = wanted(tags={"it's": "quoted"}, **fields)

    words = shlex.split(as_command(registration))

    assert words[:5] == ["aws", "ec2", name, "--region", "eu-west-1"]
    assert json.loads(words[6]) == request(registration)
