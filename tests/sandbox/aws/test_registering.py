import pytest
from botocore.exceptions import ClientError

from sandbox.aws.protocol import service as model_of
from tests.sandbox.aws.things import (
    ACCOUNT,
    OTHER_ACCOUNT,
    RHEL,
    client,
    code_of,
    image_of,
    put_image,
    put_snapshot,
    query,
    registration,
)


def register(aws, **changes):
    snapshot_id = changes.pop("snapshot_id", None) or put_snapshot(aws)
    place = changes.pop("place", {})
    asked = registration(snapshot_id, **changes)
    return client(aws, **place).register_image(**asked)["ImageId"]


def refused(aws, **changes):
    with pytest.raises(ClientError) as error:
        register(aws, **changes)
    return code_of(error.value)


def test_an_image_is_what_was_asked_for(aws):
    snapshot_id = put_snapshot(aws, VolumeSize=20)

    image_id = register(
        aws,
        snapshot_id=snapshot_id,
        Name="golden",
        Description="of gold",
        EnaSupport=True,
        BootMode="uefi",
        TpmSupport="v2.0",
        ImdsSupport="v2.0",
        TagSpecifications=[{"ResourceType": "image", "Tags": [{"Key": "team", "Value": "web"}]}],
    )

    image = image_of(aws, image_id)
    assert image["Name"] == "golden"
    assert image["Description"] == "of gold"
    assert image["OwnerId"] == ACCOUNT
    assert image["State"] == "available"
    assert image["ImageLocation"] == f"{ACCOUNT}/golden"
    assert (image["RootDeviceType"], image["RootDeviceName"]) == ("ebs", "/dev/xvda")
    assert image["EnaSupport"] is True
    assert (image["BootMode"], image["TpmSupport"]) == ("uefi", "v2.0")
    assert image["ImdsSupport"] == "v2.0"
    assert image["Tags"] == [{"Key": "team", "Value": "web"}]
    assert image["BlockDeviceMappings"] == [
        {
            "DeviceName": "/dev/xvda",
            "Ebs": {
                "SnapshotId": snapshot_id,
                "VolumeSize": 20,
                "VolumeType": "gp2",
                "DeleteOnTermination": True,
                "Encrypted": False,
            },
        }
    ]


# Each parameter that an image shows as it was asked for.
SHOWN = {
    "Name": "golden",
    "Description": "of gold",
    "Architecture": "arm64",
    "VirtualizationType": "paravirtual",
    "BootMode": "uefi-preferred",
    "ImdsSupport": "v2.0",
    "SriovNetSupport": "simple",
    "EnaSupport": True,
}
OF_PARAVIRTUAL = {"KernelId": "aki-0123", "RamdiskId": "ari-0123"}
# Those that are tested elsewhere in this file or, of the devices, in test_devices.py.
ELSEWHERE = {
    "TpmSupport",
    "UefiData",
    "RootDeviceName",
    "BlockDeviceMappings",
    "ImageLocation",
    "BillingProducts",
    "TagSpecifications",
    "DryRun",
}


def test_every_parameter_of_aws_has_a_test():
    parameters = model_of("ec2").operation_model("RegisterImage").input_shape.members

    assert set(parameters) == {*SHOWN, *OF_PARAVIRTUAL, *ELSEWHERE}


@pytest.mark.parametrize(("name", "value"), SHOWN.items(), ids=SHOWN)
def test_an_image_shows_a_parameter(aws, name, value):
    image = image_of(aws, register(aws, **{name: value}))

    assert image[name] == value


@pytest.mark.parametrize("name", OF_PARAVIRTUAL)
def test_a_kernel_is_of_a_paravirtual_image(aws, name):
    asked = {name: OF_PARAVIRTUAL[name]}

    image = image_of(aws, register(aws, VirtualizationType="paravirtual", **asked))

    assert image[name] == OF_PARAVIRTUAL[name]
    assert refused(aws, **asked) == "InvalidParameterCombination"


def test_uefi_data_are_an_attribute_and_no_member(aws):
    image_id = register(aws, UefiData="QU1aTlVFRkk=")

    told = client(aws).describe_image_attribute(ImageId=image_id, Attribute="uefiData")

    assert told["UefiData"] == {"Value": "QU1aTlVFRkk="}
    assert "UefiData" not in image_of(aws, image_id)


def test_the_answer_holds_nothing_but_the_id(aws):
    answer = client(aws).register_image(**registration(put_snapshot(aws)))

    assert sorted(answer) == ["ImageId", "ResponseMetadata"]


def test_the_code_comes_from_the_hidden_metadata_of_the_root_snapshot(aws):
    image = image_of(aws, register(aws, snapshot_id=put_snapshot(aws, _billing=RHEL)))

    assert image["UsageOperation"] == RHEL
    assert image["PlatformDetails"] == "Red Hat Enterprise Linux"


def test_without_metadata_the_code_is_lost_without_a_word(aws):
    image = image_of(aws, register(aws, snapshot_id=put_snapshot(aws, _billing=None)))

    assert (image["UsageOperation"], image["PlatformDetails"]) == ("RunInstances", "Linux/UNIX")


def test_the_code_can_be_lost_to_the_last_letter(aws):
    image = image_of(aws, register(aws, snapshot_id=put_snapshot(aws, _billing="")))

    assert (image["UsageOperation"], image["PlatformDetails"]) == ("", "")


def test_windows_is_a_platform_of_its_own(aws):
    windows = put_snapshot(aws, _billing="RunInstances:0002")

    assert image_of(aws, register(aws, snapshot_id=windows))["Platform"] == "windows"
    assert "Platform" not in image_of(aws, register(aws))


def test_a_data_volume_does_not_give_its_code(aws):
    devices = [
        {"DeviceName": "/dev/sdb", "Ebs": {"SnapshotId": put_snapshot(aws, _billing=RHEL)}},
        {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": put_snapshot(aws)}},
    ]

    image = image_of(aws, register(aws, BlockDeviceMappings=devices))

    assert image["UsageOperation"] == "RunInstances"


def test_product_codes_come_with_the_snapshot(aws):
    codes = [{"ProductCodeId": "6cd5fxzrad0cu2j23p692xytz", "ProductCodeType": "marketplace"}]

    image = image_of(aws, register(aws, snapshot_id=put_snapshot(aws, _product_codes=codes)))

    assert image["ProductCodes"] == codes


def test_defaults_are_dangerous(aws):
    asked = registration(put_snapshot(aws))
    del asked["Architecture"], asked["VirtualizationType"]

    image = image_of(aws, client(aws).register_image(**asked)["ImageId"])

    assert (image["Architecture"], image["VirtualizationType"]) == ("i386", "paravirtual")
    assert "EnaSupport" not in image


@pytest.mark.parametrize(
    "name", ["abc", "x" * 128, "a-Z 0.9/b(c)[d]'e@f_g"], ids=["short", "long", "every sign"]
)
def test_a_name_may_be(aws, name):
    assert image_of(aws, register(aws, Name=name))["Name"] == name


@pytest.mark.parametrize("name", ["a+b", "a\nb", "äöü", "a<b>", "abc\n"], ids=ascii)
def test_a_name_may_not_be(aws, name):
    assert refused(aws, Name=name) == "InvalidAMIName.Malformed"


@pytest.mark.parametrize("name", ["ab", "", "x" * 129], ids=["short", "empty", "long"])
def test_a_name_of_the_wrong_length_is_malformed_where_boto3_does_not_look(aws, name):
    assert "<Code>InvalidAMIName.Malformed</Code>" in query(aws, "RegisterImage", Name=name)


def test_a_name_is_taken_once_in_an_account_and_region(aws):
    register(aws, Name="golden")

    assert refused(aws, Name="golden") == "InvalidAMIName.Duplicate"


def test_a_name_is_taken_by_an_image_that_nobody_sees_yet(aws):
    aws.state.invisible_seconds = 60
    register(aws, Name="golden")

    assert refused(aws, Name="golden") == "InvalidAMIName.Duplicate"


def test_another_account_or_region_may_have_the_name(aws):
    register(aws, Name="golden")
    regional, foreign = {"region": "us-east-1"}, {"account": OTHER_ACCOUNT}

    there = register(
        aws, Name="golden", snapshot_id=put_snapshot(aws, place=regional), place=regional
    )
    theirs = register(
        aws, Name="golden", snapshot_id=put_snapshot(aws, place=foreign), place=foreign
    )

    assert image_of(aws, there, **regional)["Name"] == "golden"
    assert image_of(aws, theirs, **foreign)["Name"] == "golden"


def test_a_name_is_free_again_after_deregistering(aws):
    client(aws).deregister_image(ImageId=register(aws, Name="golden"))

    assert register(aws, Name="golden")


def test_an_image_is_pending_for_a_while_and_then_available(aws):
    aws.state.pending_seconds = 60
    image_id = register(aws)

    before = image_of(aws, image_id)["State"]
    aws.state.advance(seconds=61)

    assert (before, image_of(aws, image_id)["State"]) == ("pending", "available")


def test_an_image_is_seen_late(aws):
    aws.state.invisible_seconds = 60
    image_id = register(aws, Name="golden")
    ec2 = client(aws)
    wanted = [{"Name": "name", "Values": ["golden"]}]

    with pytest.raises(ClientError) as error:
        image_of(aws, image_id)
    before = ec2.describe_images(Owners=["self"], Filters=wanted)["Images"]
    aws.state.advance(seconds=61)
    after = ec2.describe_images(Owners=["self"], Filters=wanted)["Images"]

    assert code_of(error.value) == "InvalidAMIID.NotFound"
    assert (len(before), len(after)) == (0, 1)


def test_a_code_is_told_late(aws):
    aws.state.pending_seconds, aws.state.code_lag_seconds = 60, 60
    image_id = register(aws, snapshot_id=put_snapshot(aws, _billing="RunInstances:0002"))

    at_once = image_of(aws, image_id)
    aws.state.advance(seconds=61)
    available = image_of(aws, image_id)
    aws.state.advance(seconds=60)
    later = image_of(aws, image_id)

    assert (at_once["UsageOperation"], at_once["PlatformDetails"]) == ("", "")
    assert (available["UsageOperation"], available["PlatformDetails"]) == ("", "")
    assert available["State"] == "available"
    assert "Platform" not in available
    assert (later["UsageOperation"], later["PlatformDetails"]) == ("RunInstances:0002", "Windows")
    assert later["Platform"] == "windows"


def test_what_is_asked_of_an_image_without_a_code_yet_stays_with_it(aws):
    aws.state.code_lag_seconds = 60
    image_id = register(aws, snapshot_id=put_snapshot(aws, _billing=RHEL))
    image_of(aws, image_id)

    client(aws).modify_image_attribute(ImageId=image_id, Description={"Value": "new"})
    aws.state.advance(seconds=61)

    image = image_of(aws, image_id)
    assert (image["Description"], image["UsageOperation"]) == ("new", RHEL)


def test_a_tag_can_be_searched_for_at_once(aws):
    tags = [{"ResourceType": "image", "Tags": [{"Key": "amiportal:registration", "Value": "1"}]}]
    image_id = register(aws, TagSpecifications=tags)
    wanted = [{"Name": "tag:amiportal:registration", "Values": ["1"]}]

    (image,) = client(aws).describe_images(Owners=["self"], Filters=wanted)["Images"]

    assert image["ImageId"] == image_id


def test_a_registered_image_is_a_root(aws):
    image = image_of(aws, register(aws, snapshot_id=put_snapshot(aws, _billing=RHEL)))

    assert not {"SourceImageId", "SourceInstanceId", "SourceImageRegion"} & image.keys()


def test_an_image_of_a_manifest_has_no_devices(aws):
    image_id = client(aws).register_image(
        Name="old-style", Architecture="x86_64", ImageLocation="bucket/image.manifest.xml"
    )["ImageId"]

    image = image_of(aws, image_id)

    assert image["RootDeviceType"] == "instance-store"
    assert image["ImageLocation"] == "bucket/image.manifest.xml"
    assert image["PlatformDetails"] == "Linux/UNIX"


def test_an_image_of_a_manifest_may_name_its_root_and_other_disks(aws):
    store = {"DeviceName": "/dev/sdb", "VirtualName": "ephemeral0"}
    data = {"DeviceName": "/dev/sdc", "Ebs": {"SnapshotId": put_snapshot(aws)}}

    image_id = client(aws).register_image(
        Name="old-style",
        ImageLocation="bucket/image.manifest.xml",
        RootDeviceName="/dev/sda1",
        BlockDeviceMappings=[store, data],
    )["ImageId"]

    image = image_of(aws, image_id)
    assert image["RootDeviceName"] == "/dev/sda1"
    assert image["BlockDeviceMappings"][0] == store
    assert image["BlockDeviceMappings"][1]["DeviceName"] == "/dev/sdc"


@pytest.mark.parametrize(
    "location",
    ["image.manifest.xml", "bucket/image.xml", "bucket/image.manifest.xml.bak"],
    ids=["no bucket", "no manifest", "something behind"],
)
def test_a_manifest_has_a_path(aws, location):
    with pytest.raises(ClientError) as error:
        client(aws).register_image(Name="old-style", ImageLocation=location)

    assert code_of(error.value) == "InvalidManifest"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param(
            {"ImageLocation": "bucket/image.manifest.xml"},
            "InvalidParameterCombination",
            id="a manifest and a root snapshot",
        ),
        pytest.param({"SriovNetSupport": "double"}, "InvalidParameterValue", id="no such network"),
        pytest.param({"UefiData": "?"}, "InvalidParameterValue", id="UEFI data in no base64"),
        pytest.param({"UefiData": "A" * 64_004}, "InvalidParameterValue", id="long UEFI data"),
        pytest.param({"BillingProducts": ["bp-6fa54006"]}, "AuthFailure", id="billing products"),
        pytest.param(
            {"TpmSupport": "v2.0", "BootMode": "uefi-preferred"},
            "InvalidParameterCombination",
            id="TPM wants UEFI alone",
        ),
        pytest.param({"TpmSupport": "v2.0"}, "InvalidParameterCombination", id="TPM without boot"),
        pytest.param(
            {"EnaSupport": True, "VirtualizationType": "paravirtual"},
            "InvalidParameterCombination",
            id="ENA wants hvm",
        ),
        pytest.param(
            {"SriovNetSupport": "simple", "VirtualizationType": "paravirtual"},
            "InvalidParameterCombination",
            id="SR-IOV wants hvm",
        ),
        pytest.param({"VirtualizationType": "kvm"}, "InvalidParameterValue", id="no such type"),
        pytest.param({"Description": "x" * 256}, "InvalidParameterValue", id="long description"),
        pytest.param({"RootDeviceName": ""}, "InvalidRequest", id="no root name"),
        pytest.param({"BlockDeviceMappings": []}, "InvalidRequest", id="no devices"),
        pytest.param(
            {"TagSpecifications": [{"ResourceType": "snapshot", "Tags": []}]},
            "InvalidParameterValue",
            id="tags of a snapshot",
        ),
        pytest.param(
            {
                "TagSpecifications": [
                    {"ResourceType": "image", "Tags": [{"Key": "aws:x", "Value": ""}]}
                ]
            },
            "InvalidParameterValue",
            id="tags of AWS",
        ),
    ],
)
def test_a_registration_is_refused(aws, changes, code):
    assert refused(aws, **changes) == code
    assert aws.state.things["images"] == {}


def test_a_dry_run_finds_what_is_wrong(aws):
    put_image(aws, Name="golden")

    assert refused(aws, Name="golden", DryRun=True) == "InvalidAMIName.Duplicate"
