import re
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.aws.things import (
    ACCOUNT,
    OTHER_ACCOUNT,
    REGION,
    RHEL,
    client,
    code_of,
    image_of,
    put_image,
    put_instance,
    put_snapshot,
    put_volume,
)

MARKETPLACE = [{"ProductCodeId": "6cd5fxzrad0cu2j23p692xytz", "ProductCodeType": "marketplace"}]


def create(aws, instance_id, **changes):
    answer = client(aws).create_image(InstanceId=instance_id, **{"Name": "golden", **changes})
    return answer["ImageId"]


def copy(aws, image_id, **changes):
    place = changes.pop("place", {"region": "us-east-1"})
    asked = {"SourceImageId": image_id, "SourceRegion": REGION, "Name": "copy", **changes}
    return client(aws, **place).copy_image(**asked)["ImageId"]


def refusal(act, *args, **kwargs):
    with pytest.raises(ClientError) as error:
        act(*args, **kwargs)
    return code_of(error.value)


def snapshot_of(aws, image_id, position=0):
    devices = aws.state.things["images"][image_id]["BlockDeviceMappings"]
    return aws.state.things["snapshots"][devices[position]["Ebs"]["SnapshotId"]]


# CreateImage


def test_an_image_of_an_instance_has_its_code(aws):
    instance_id = put_instance(aws, RHEL, ProductCodes=MARKETPLACE)

    image = image_of(aws, create(aws, instance_id))

    assert image["UsageOperation"] == RHEL
    assert image["PlatformDetails"] == "Red Hat Enterprise Linux"
    assert image["ProductCodes"] == MARKETPLACE


def test_an_image_of_an_instance_records_where_it_comes_from(aws):
    base = put_image(aws, RHEL, BootMode="uefi-preferred")
    instance_id = put_instance(aws, RHEL, ImageId=base)

    image = image_of(aws, create(aws, instance_id))

    assert image["SourceInstanceId"] == instance_id
    assert (image["SourceImageId"], image["SourceImageRegion"]) == (base, REGION)
    assert image["BootMode"] == "uefi-preferred"


HARDWARE: dict[str, Any] = {
    "Architecture": "arm64",
    "BootMode": "uefi",
    "EnaSupport": True,
    "SriovNetSupport": "simple",
    "TpmSupport": "v2.0",
    "ImdsSupport": "v2.0",
}


@pytest.mark.parametrize("member", HARDWARE)
def test_an_image_of_an_instance_has_the_hardware_of_its_image(aws, member):
    base = put_image(aws, **HARDWARE)
    instance_id = put_instance(aws, ImageId=base, Architecture=HARDWARE["Architecture"])

    image = image_of(aws, create(aws, instance_id))

    assert image[member] == HARDWARE[member]


@pytest.mark.parametrize(
    ("member", "of_image", "of_instance"),
    [
        ("Architecture", "x86_64", "arm64"),
        ("BootMode", "uefi-preferred", "legacy-bios"),
        ("EnaSupport", True, False),
        ("TpmSupport", "", "v2.0"),
    ],
)
def test_what_the_instance_says_of_itself_wins(aws, member, of_image, of_instance):
    base = put_image(aws, **{member: of_image})
    instance_id = put_instance(aws, ImageId=base, **{member: of_instance})

    image = image_of(aws, create(aws, instance_id))

    assert image[member] == of_instance


def test_an_image_without_ena_passes_none_on(aws):
    instance_id = put_instance(aws, ImageId=put_image(aws))

    assert "EnaSupport" not in image_of(aws, create(aws, instance_id))


def test_an_image_of_an_instance_whose_image_is_gone_is_made_for_today(aws):
    image = image_of(aws, create(aws, put_instance(aws)))

    assert (image["VirtualizationType"], image["EnaSupport"]) == ("hvm", True)
    assert not {"BootMode", "TpmSupport", "ImdsSupport"} & image.keys()


@pytest.mark.parametrize(
    ("state", "asked", "is_rebooted"),
    [
        pytest.param("running", {}, True, id="running, by default"),
        pytest.param("running", {"NoReboot": False}, True, id="running, as asked for"),
        pytest.param("running", {"NoReboot": True}, False, id="running, left alone"),
        pytest.param("stopped", {}, False, id="stopped"),
    ],
)
def test_a_running_instance_is_rebooted_unless_it_is_left_alone(aws, state, asked, is_rebooted):
    instance_id = put_instance(aws, State={"Code": 0, "Name": state})

    create(aws, instance_id, **asked)

    assert ("_rebooted_at" in aws.state.things["instances"][instance_id]) is is_rebooted


@pytest.mark.parametrize(
    ("of_image", "of_instance"),
    [
        pytest.param({"BootMode": "uefi"}, {}, id="by its image"),
        pytest.param({"BootMode": "uefi-preferred"}, {}, id="where it can"),
        pytest.param({}, {"BootMode": "uefi"}, id="by itself"),
        pytest.param({}, {"CurrentInstanceBootMode": "uefi"}, id="as it booted"),
        pytest.param({}, {"Architecture": "arm64"}, id="on Graviton"),
    ],
)
def test_an_instance_that_boots_with_uefi_may_pass_on_that_alone(aws, of_image, of_instance):
    instance_id = put_instance(aws, ImageId=put_image(aws, **of_image), **of_instance)

    image = image_of(aws, create(aws, instance_id, BootModeOverride="uefi"))

    assert image["BootMode"] == "uefi"


@pytest.mark.parametrize(
    ("of_image", "of_instance"),
    [
        pytest.param({}, {}, id="by default"),
        pytest.param({"BootMode": "legacy-bios"}, {}, id="by its image"),
        pytest.param(
            {"BootMode": "uefi-preferred"},
            {"CurrentInstanceBootMode": "legacy-bios"},
            id="as it booted",
        ),
    ],
)
def test_an_instance_that_boots_without_uefi_may_not(aws, of_image, of_instance):
    instance_id = put_instance(aws, ImageId=put_image(aws, **of_image), **of_instance)

    code = refusal(create, aws, instance_id, BootModeOverride="uefi")

    assert code == "InvalidParameterValue"
    assert len(aws.state.things["images"]) == 1


@pytest.mark.parametrize("mode", ["legacy-bios", "uefi-preferred"])
def test_no_other_boot_mode_can_be_passed_on(aws, mode):
    instance_id = put_instance(aws, BootMode="uefi")

    assert refusal(create, aws, instance_id, BootModeOverride=mode) == "InvalidParameterValue"


@pytest.mark.parametrize("location", ["regional", "local"])
def test_the_place_of_the_snapshots_can_be_said(aws, location):
    assert create(aws, put_instance(aws), SnapshotLocation=location)


def test_its_snapshots_say_what_they_were_taken_of(aws):
    volume_id = put_volume(aws, Size=30, Encrypted=True)
    devices = [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeId": volume_id}}]
    instance_id = put_instance(aws, RHEL, BlockDeviceMappings=devices)

    image_id = create(aws, instance_id)

    snapshot = snapshot_of(aws, image_id)
    assert snapshot["Description"] == f"Created by CreateImage({instance_id}) for {image_id}"
    assert (snapshot["VolumeId"], snapshot["VolumeSize"]) == (volume_id, 30)
    assert snapshot["Encrypted"] is True


def test_a_snapshot_of_createimage_keeps_code_and_product_codes(aws):
    image_id = create(aws, put_instance(aws, RHEL, ProductCodes=MARKETPLACE))
    snapshot_id = snapshot_of(aws, image_id)["SnapshotId"]
    device = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot_id}}

    again = client(aws).register_image(
        Name="again", RootDeviceName="/dev/xvda", BlockDeviceMappings=[device]
    )["ImageId"]

    assert image_of(aws, again)["UsageOperation"] == RHEL
    assert image_of(aws, again)["ProductCodes"] == MARKETPLACE


def test_tags_go_to_the_image_and_to_its_snapshots(aws):
    def tagged(kind):
        return {"ResourceType": kind, "Tags": [{"Key": "of", "Value": kind}]}

    tags = [tagged("image"), tagged("snapshot")]

    image_id = create(aws, put_instance(aws), TagSpecifications=tags)

    assert image_of(aws, image_id)["Tags"] == [{"Key": "of", "Value": "image"}]
    assert snapshot_of(aws, image_id)["Tags"] == [{"Key": "of", "Value": "snapshot"}]


def two_disks(aws):
    return [
        {"DeviceName": name, "Ebs": {"VolumeId": put_volume(aws)}}
        for name in ("/dev/xvda", "/dev/sdb")
    ]


def test_of_a_device_only_its_end_can_be_changed(aws):
    instance_id = put_instance(aws, BlockDeviceMappings=two_disks(aws))
    change = {"DeviceName": "/dev/xvda", "Ebs": {"DeleteOnTermination": False}}

    image = image_of(aws, create(aws, instance_id, BlockDeviceMappings=[change]))

    ends = [device["Ebs"]["DeleteOnTermination"] for device in image["BlockDeviceMappings"]]
    assert ends == [False, True]


def test_a_device_can_be_left_out(aws):
    instance_id = put_instance(aws, BlockDeviceMappings=two_disks(aws))
    change = {"DeviceName": "/dev/sdb", "NoDevice": ""}

    image = image_of(aws, create(aws, instance_id, BlockDeviceMappings=[change]))

    assert [device["DeviceName"] for device in image["BlockDeviceMappings"]] == ["/dev/xvda"]


@pytest.mark.parametrize("change", [{"VolumeSize": 50}, {"Encrypted": True}], ids=str)
def test_size_and_encryption_cannot_be_changed(aws, change):
    device = {"DeviceName": "/dev/xvda", "Ebs": change}

    code = refusal(create, aws, put_instance(aws), BlockDeviceMappings=[device])

    assert code == "InvalidBlockDeviceMapping"


def test_the_name_is_the_only_key(aws):
    instance_id = put_instance(aws)
    create(aws, instance_id)

    assert refusal(create, aws, instance_id) == "InvalidAMIName.Duplicate"


@pytest.mark.parametrize(
    ("instance_id", "code"),
    [("i-0123", "InvalidInstanceID.NotFound"), ("x", "InvalidInstanceID.Malformed")],
)
def test_the_instance_must_be_there(aws, instance_id, code):
    assert refusal(create, aws, instance_id) == code


@pytest.mark.parametrize("state", ["pending", "shutting-down", "terminated"])
def test_the_instance_must_run_or_stand(aws, state):
    instance_id = put_instance(aws, State={"Code": 0, "Name": state})

    assert refusal(create, aws, instance_id) == "IncorrectState"


# CopyImage


def test_a_copy_has_the_code_and_the_hardware_of_its_source(aws):
    source = put_image(
        aws,
        RHEL,
        snapshots=(put_snapshot(aws, _billing=RHEL),),
        Architecture="arm64",
        BootMode="uefi",
        EnaSupport=True,
    )

    image = image_of(aws, copy(aws, source), region="us-east-1")

    assert (image["UsageOperation"], image["PlatformDetails"]) == (
        RHEL,
        "Red Hat Enterprise Linux",
    )
    assert (image["Architecture"], image["BootMode"], image["EnaSupport"]) == (
        "arm64",
        "uefi",
        True,
    )
    assert (image["SourceImageId"], image["SourceImageRegion"]) == (source, REGION)


def test_the_snapshots_of_a_copy_are_new_and_say_so(aws):
    old = put_snapshot(aws, _billing=RHEL, VolumeId="vol-0123", StartTime="2020-01-01T00:00:00Z")
    source = put_image(aws, RHEL, snapshots=(old,))

    image_id = copy(aws, source)

    snapshot = snapshot_of(aws, image_id)
    assert re.fullmatch(
        rf"Copied for DestinationAmi {image_id} from SourceAmi {source} for SourceSnapshot {old}\. "
        r"Task created on \d{1,3}(,\d{3})+\.",
        snapshot["Description"],
    )
    assert snapshot["VolumeId"] == "vol-ffffffff"
    assert snapshot["_billing"] == RHEL
    assert snapshot["StartTime"] > "2026"
    assert (snapshot["_account"], snapshot["_region"]) == (ACCOUNT, "us-east-1")


def test_a_copy_may_have_to_be_done_in_time(aws):
    image_id = copy(aws, put_image(aws), SnapshotCopyCompletionDurationMinutes=15)

    assert image_of(aws, image_id, region="us-east-1")["State"] == "available"


def test_a_client_token_makes_it_once(aws):
    source = put_image(aws)

    first = copy(aws, source, ClientToken="one")
    again = copy(aws, source, ClientToken="one")

    assert first == again
    assert len(aws.state.things["images"]) == 2


def test_a_client_token_is_for_one_request(aws):
    source = put_image(aws)
    copy(aws, source, ClientToken="one")

    code = refusal(copy, aws, source, ClientToken="one", Name="other")

    assert code == "IdempotentParameterMismatch"


def test_a_client_token_does_not_survive_a_refusal(aws):
    source = put_image(aws)
    taken = put_image(aws, Name="copy", place={"region": "us-east-1"})
    refusal(copy, aws, source, ClientToken="one")
    client(aws, region="us-east-1").deregister_image(ImageId=taken)

    assert copy(aws, source, ClientToken="one")


def test_without_a_token_of_ours_a_copy_is_made_again(aws):
    source = put_image(aws)
    copy(aws, source)

    assert refusal(copy, aws, source) == "InvalidAMIName.Duplicate"


@pytest.mark.parametrize(
    ("wanted", "tags"), [(True, {"team": "web"}), (False, {})], ids=["with", "without"]
)
def test_tags_are_copied_where_they_are_asked_for(aws, wanted, tags):
    own = [{"Key": "team", "Value": "web"}, {"Key": "aws:made", "Value": "by AWS"}]
    source = put_image(aws, Tags=own)

    image = image_of(aws, copy(aws, source, CopyImageTags=wanted), region="us-east-1")

    assert {tag["Key"]: tag["Value"] for tag in image.get("Tags", [])} == tags


def test_a_given_tag_wins_over_a_copied_one(aws):
    source = put_image(aws, Tags=[{"Key": "team", "Value": "web"}])
    given = [{"ResourceType": "image", "Tags": [{"Key": "team", "Value": "erp"}]}]

    image_id = copy(aws, source, CopyImageTags=True, TagSpecifications=given)

    assert image_of(aws, image_id, region="us-east-1")["Tags"] == [{"Key": "team", "Value": "erp"}]


@pytest.mark.parametrize(
    ("before", "asked", "after"),
    [(False, True, True), (True, False, True), (False, False, False)],
    ids=["encrypted by the copy", "never decrypted", "left in the clear"],
)
def test_a_copy_can_be_encrypted(aws, before, asked, after):
    snapshot_id = put_snapshot(aws, Encrypted=before)
    device = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot_id, "Encrypted": before}}
    source = put_image(aws, BlockDeviceMappings=[device])

    image_id = copy(aws, source, Encrypted=asked)

    image = image_of(aws, image_id, region="us-east-1")
    assert snapshot_of(aws, image_id)["Encrypted"] is after
    assert image["BlockDeviceMappings"][0]["Ebs"]["Encrypted"] is after


def test_a_key_without_encryption_is_refused(aws):
    code = refusal(copy, aws, put_image(aws), KmsKeyId="alias/x")

    assert code == "InvalidParameterDependency"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"State": "pending", "_available_at": "9"}, "InvalidAMIID.Unavailable"),
        pytest.param({"State": "disabled"}, "InvalidAMIID.Unavailable"),
        pytest.param({"_visible_at": "9"}, "InvalidAMIID.NotFound", id="not seen yet"),
        pytest.param({"place": {"account": OTHER_ACCOUNT}}, "InvalidAMIID.NotFound"),
        pytest.param({"place": {"region": "us-west-2"}}, "InvalidAMIID.NotFound"),
    ],
)
def test_the_source_must_be_there_and_available(aws, changes, code):
    assert refusal(copy, aws, put_image(aws, **changes)) == code


def shared(aws, usage_operation="RunInstances", **members):
    return put_image(
        aws,
        usage_operation,
        place={"account": OTHER_ACCOUNT},
        _permissions=[{"UserId": ACCOUNT}],
        **members,
    )


def test_a_shared_image_without_a_code_can_be_copied(aws):
    image = image_of(aws, copy(aws, shared(aws)), region="us-east-1")

    assert image["OwnerId"] == ACCOUNT


def test_a_shared_image_with_a_code_cannot_be_copied(aws):
    assert refusal(copy, aws, shared(aws, RHEL)) == "InvalidRequest"
    assert refusal(copy, aws, shared(aws, ProductCodes=MARKETPLACE)) == "InvalidRequest"
