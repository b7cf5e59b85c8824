import pytest
from botocore.exceptions import ClientError

from tests.sandbox.aws.things import (
    ACCOUNT,
    OTHER_ACCOUNT,
    REGION,
    client,
    code_of,
    image_of,
    put_image,
    put_snapshot,
    registration,
)

MARKETPLACE = [{"ProductCodeId": "6cd5fxzrad0cu2j23p692xytz", "ProductCodeType": "marketplace"}]
THEIRS = {"account": OTHER_ACCOUNT}
PAST, FUTURE = "2020-01-01T00:00:00.000Z", "2999-01-01T00:00:00.000Z"


def listed(aws, **asked):
    return {image["ImageId"] for image in client(aws).describe_images(**asked)["Images"]}


def filtered(aws, **filters):
    wanted = [{"Name": n.replace("_", "-"), "Values": [v]} for n, v in filters.items()]
    return listed(aws, Filters=wanted)


def refusal(act, *args, **kwargs):
    with pytest.raises(ClientError) as error:
        act(*args, **kwargs)
    return code_of(error.value)


# DescribeImages


def test_one_sees_the_own_the_public_and_the_shared(aws):
    own = put_image(aws)
    public = put_image(aws, place=THEIRS, Public=True)
    shared = put_image(aws, place=THEIRS, _permissions=[{"UserId": ACCOUNT}])
    put_image(aws, place=THEIRS)
    put_image(aws, place={"region": "us-east-1"}, Public=True)

    assert listed(aws) == {own, public, shared}


def test_self_is_who_asks(aws):
    own = put_image(aws)
    theirs = put_image(aws, place=THEIRS, Public=True)

    assert listed(aws, Owners=["self"]) == {own}
    assert listed(aws, Owners=[OTHER_ACCOUNT]) == {theirs}
    assert listed(aws, Owners=["self", OTHER_ACCOUNT]) == {own, theirs}


def test_owners_have_aliases(aws):
    put_image(aws)
    amazons = put_image(aws, place=THEIRS, Public=True, ImageOwnerAlias="amazon")

    assert listed(aws, Owners=["amazon"]) == {amazons}


def test_executable_users_are_those_with_a_permission(aws):
    put_image(aws)
    shared = put_image(aws, place=THEIRS, _permissions=[{"UserId": ACCOUNT}])
    public = put_image(aws, place=THEIRS, Public=True, _permissions=[{"Group": "all"}])

    assert listed(aws, ExecutableUsers=["self"]) == {shared}
    assert listed(aws, ExecutableUsers=["all"]) == {public}


def test_disabled_images_are_shown_to_who_asks_for_them(aws):
    disabled = put_image(aws, State="disabled")
    image_id = put_image(aws)

    assert listed(aws, Owners=["self"]) == {image_id}
    assert listed(aws, Owners=["self"], IncludeDisabled=True) == {image_id, disabled}


@pytest.mark.parametrize(
    ("members", "asked", "is_shown"),
    [
        pytest.param({"DeprecationTime": PAST}, {}, True, id="own"),
        pytest.param({"DeprecationTime": PAST, "place": THEIRS}, {}, False, id="foreign"),
        pytest.param({"DeprecationTime": FUTURE, "place": THEIRS}, {}, True, id="not yet"),
        pytest.param(
            {"DeprecationTime": PAST, "place": THEIRS},
            {"IncludeDeprecated": True},
            True,
            id="asked for",
        ),
    ],
)
def test_deprecated_images_are_shown_to_their_owner(aws, members, asked, is_shown):
    image_id = put_image(aws, Public=True, **members)

    assert listed(aws, **asked) == ({image_id} if is_shown else set())


def test_ids_choose_images(aws):
    wanted = [put_image(aws), put_image(aws)]
    put_image(aws)

    assert listed(aws, ImageIds=wanted) == set(wanted)


@pytest.mark.parametrize(
    ("image_id", "code"),
    [("ami-0123", "InvalidAMIID.NotFound"), ("golden", "InvalidAMIID.Malformed")],
)
def test_one_wrong_id_fails_the_whole_call(aws, image_id, code):
    ids = [put_image(aws), image_id]

    assert refusal(listed, aws, ImageIds=ids) == code


def test_a_foreign_id_in_a_filter_is_no_error(aws):
    assert filtered(aws, image_id="ami-0123") == set()


FILTERS = {
    "architecture": "arm64",
    "block-device-mapping.device-name": "/dev/xvda",
    "block-device-mapping.encrypted": "true",
    "block-device-mapping.snapshot-id": "snap-0abc",
    "block-device-mapping.volume-size": "33",
    "block-device-mapping.volume-type": "gp3",
    "creation-date": "2021-*",
    "description": "*gold*",
    "ena-support": "true",
    "hypervisor": "xen",
    "image-type": "machine",
    "is-public": "false",
    "manifest-location": "bucket/*",
    "name": "odd [name]",
    "owner-alias": "self-made",
    "owner-id": ACCOUNT,
    "platform": "windows",
    "product-code": "6cd5fxzrad0cu2j23p692xytz",
    "product-code.type": "marketplace",
    "root-device-name": "/dev/xvda",
    "root-device-type": "ebs",
    "source-image-id": "ami-0777",
    "source-image-region": "us-west-2",
    "source-instance-id": "i-0777",
    "state": "available",
    "tag:team": "web",
    "tag-key": "team",
    "virtualization-type": "hvm",
}


@pytest.mark.parametrize("name", FILTERS)
def test_images_can_be_filtered_by(aws, name):
    device = {
        "DeviceName": "/dev/xvda",
        "Ebs": {
            "SnapshotId": "snap-0abc",
            "Encrypted": True,
            "VolumeSize": 33,
            "VolumeType": "gp3",
        },
    }
    wanted = put_image(
        aws,
        "RunInstances:0002",
        Name="odd [name]",
        Description="of gold",
        Architecture="arm64",
        BlockDeviceMappings=[device],
        CreationDate="2021-05-05T00:00:00.000Z",
        EnaSupport=True,
        Hypervisor="xen",
        ImageType="machine",
        ImageLocation="bucket/x",
        ImageOwnerAlias="self-made",
        ProductCodes=MARKETPLACE,
        RootDeviceType="ebs",
        SourceImageId="ami-0777",
        SourceImageRegion="us-west-2",
        SourceInstanceId="i-0777",
        Tags=[{"Key": "team", "Value": "web"}],
    )
    put_image(
        aws,
        OwnerId=OTHER_ACCOUNT,
        State="pending",
        _available_at="9",
        RootDeviceName="",
        VirtualizationType="",
        Public=True,
    )

    assert filtered(aws, **{name: FILTERS[name]}) == {wanted}


@pytest.mark.parametrize("name", ["platform-details", "usage-operation", "colour"])
def test_there_is_no_filter_for_billing_codes(aws, name):
    assert refusal(filtered, aws, **{name: "x"}) == "InvalidParameterValue"


# DescribeImageAttribute


@pytest.mark.parametrize(
    ("attribute", "member", "value"),
    [
        ("description", "Description", "of gold"),
        ("bootMode", "BootMode", "uefi"),
        ("tpmSupport", "TpmSupport", "v2.0"),
        ("imdsSupport", "ImdsSupport", "v2.0"),
        ("sriovNetSupport", "SriovNetSupport", "simple"),
        ("kernel", "KernelId", "aki-1"),
        ("ramdisk", "RamdiskId", "ari-1"),
        ("uefiData", "UefiData", "QQ=="),
        ("lastLaunchedTime", "LastLaunchedTime", PAST),
        ("deregistrationProtection", "DeregistrationProtection", "disabled"),
    ],
)
def test_an_attribute_is_told(aws, attribute, member, value):
    image_id = put_image(aws, **{member: value})

    answer = client(aws).describe_image_attribute(ImageId=image_id, Attribute=attribute)

    assert answer["ImageId"] == image_id
    assert answer[member] == {"Value": value}


def test_an_attribute_that_is_not_set_is_empty(aws):
    answer = client(aws).describe_image_attribute(ImageId=put_image(aws), Attribute="bootMode")

    assert answer["BootMode"] == {}


def test_product_codes_and_permissions_are_told(aws):
    permission = {"UserId": OTHER_ACCOUNT}
    image_id = put_image(aws, ProductCodes=MARKETPLACE, _permissions=[permission])
    ec2 = client(aws)

    codes = ec2.describe_image_attribute(ImageId=image_id, Attribute="productCodes")
    permitted = ec2.describe_image_attribute(ImageId=image_id, Attribute="launchPermission")

    assert codes["ProductCodes"] == MARKETPLACE
    assert permitted["LaunchPermissions"] == [permission]


def test_the_block_devices_are_no_attribute_any_more(aws):
    asked = {"ImageId": put_image(aws), "Attribute": "blockDeviceMapping"}

    assert refusal(client(aws).describe_image_attribute, **asked) == "AuthFailure"


def test_attributes_are_the_owners(aws):
    image_id = put_image(aws, place=THEIRS, Public=True)
    asked = {"ImageId": image_id, "Attribute": "description"}

    assert refusal(client(aws).describe_image_attribute, **asked) == "AuthFailure"


# ModifyImageAttribute


def modified(aws, image_id, **change):
    client(aws).modify_image_attribute(ImageId=image_id, **change)
    return aws.state.things["images"][image_id]


@pytest.mark.parametrize(
    "change",
    [{"Description": {"Value": "new"}}, {"Attribute": "description", "Value": "new"}],
    ids=["by name", "by attribute"],
)
def test_the_description_can_be_changed(aws, change):
    assert modified(aws, put_image(aws), **change)["Description"] == "new"


def test_imds_can_be_required_and_never_given_up(aws):
    image_id = put_image(aws)

    image = modified(aws, image_id, ImdsSupport={"Value": "v2.0"})
    code = refusal(modified, aws, image_id, Attribute="imdsSupport", Value="")

    assert (image["ImdsSupport"], code) == ("v2.0", "InvalidParameterValue")


@pytest.mark.parametrize(
    "change",
    [
        {"LaunchPermission": {"Add": [{"UserId": OTHER_ACCOUNT}]}},
        {"Attribute": "launchPermission", "OperationType": "add", "UserIds": [OTHER_ACCOUNT]},
    ],
    ids=["by name", "by attribute"],
)
def test_an_image_can_be_shared(aws, change):
    image_id = put_image(aws)

    modified(aws, image_id, **change)
    modified(aws, image_id, **change)

    assert aws.state.things["images"][image_id]["_permissions"] == [{"UserId": OTHER_ACCOUNT}]
    assert image_of(aws, image_id, account=OTHER_ACCOUNT)["OwnerId"] == ACCOUNT


def test_sharing_can_be_ended(aws):
    image_id = put_image(aws, _permissions=[{"UserId": OTHER_ACCOUNT}, {"UserId": "1"}])

    change = {"LaunchPermission": {"Remove": [{"UserId": OTHER_ACCOUNT}]}}

    assert modified(aws, image_id, **change)["_permissions"] == [{"UserId": "1"}]


def test_an_image_can_be_made_public_and_private_again(aws):
    image_id = put_image(aws)
    groups = {"Attribute": "launchPermission", "UserGroups": ["all"]}

    public = modified(aws, image_id, OperationType="add", **groups)["Public"]
    private = modified(aws, image_id, OperationType="remove", **groups)["Public"]

    assert (public, private) == (True, False)


@pytest.mark.parametrize(
    ("change", "members", "code"),
    [
        pytest.param(
            {"ProductCodes": ["bp-6fa54006"]}, {}, "InvalidParameterValue", id="product codes"
        ),
        pytest.param(
            {"LaunchPermission": {"Add": [{"Group": "all"}]}},
            {"ProductCodes": MARKETPLACE},
            "InvalidParameterValue",
            id="a marketplace image made public",
        ),
        pytest.param(
            {"LaunchPermission": {"Add": [{"UserId": OTHER_ACCOUNT}]}},
            {"State": "disabled"},
            "InvalidAMIID.Unavailable",
            id="a disabled image shared",
        ),
        pytest.param(
            {"Attribute": "bootMode", "Value": "uefi"}, {}, "InvalidParameterValue", id="boot mode"
        ),
        pytest.param(
            {"Description": {"Value": "x" * 256}}, {}, "InvalidParameterValue", id="too long"
        ),
        pytest.param({}, {}, "InvalidParameterCombination", id="nothing"),
        pytest.param(
            {"Description": {"Value": "a"}, "ImdsSupport": {"Value": "v2.0"}},
            {},
            "InvalidParameterCombination",
            id="two at once",
        ),
    ],
)
def test_nothing_else_can_be_changed(aws, change, members, code):
    image_id = put_image(aws, **members)
    before = dict(aws.state.things["images"][image_id])

    assert refusal(modified, aws, image_id, **change) == code
    assert aws.state.things["images"][image_id] == before


# GetImageAncestry


def ancestry(aws, image_id):
    return client(aws).get_image_ancestry(ImageId=image_id)["ImageAncestryEntries"]


def test_ancestry_follows_the_recorded_sources(aws):
    root = put_image(aws, place=THEIRS, Public=True, ImageOwnerAlias="amazon")
    child = put_image(aws, SourceImageId=root, SourceImageRegion="us-east-1")
    grandchild = put_image(aws, SourceImageId=child, SourceImageRegion=REGION)

    entries = ancestry(aws, grandchild)

    assert [entry["ImageId"] for entry in entries] == [grandchild, child, root]
    assert entries[1]["SourceImageId"] == root
    assert entries[1]["SourceImageRegion"] == "us-east-1"
    assert entries[2]["ImageOwnerAlias"] == "amazon"
    assert "SourceImageId" not in entries[2]


def test_ancestry_ends_at_what_is_not_known(aws):
    image_id = put_image(aws, SourceImageId="ami-0777", SourceImageRegion=REGION)

    (entry,) = ancestry(aws, image_id)

    assert entry["SourceImageId"] == "ami-0777"


def test_a_registered_image_has_no_ancestors(aws):
    image_id = client(aws).register_image(**registration(put_snapshot(aws)))["ImageId"]

    (entry,) = ancestry(aws, image_id)

    assert (entry["ImageId"], entry.get("SourceImageId")) == (image_id, None)


def test_ancestry_has_an_end(aws):
    image_id = put_image(aws, ImageId="ami-0777", SourceImageId="ami-0777")

    assert len(ancestry(aws, image_id)) == 50


def test_there_is_no_ancestry_of_nothing(aws):
    assert refusal(ancestry, aws, "ami-0123") == "InvalidAMIID.NotFound"
