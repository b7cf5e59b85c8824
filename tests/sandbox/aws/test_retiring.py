import pytest
from botocore.exceptions import ClientError

from tests.sandbox.aws.things import (
    ACCOUNT,
    OTHER_ACCOUNT,
    client,
    code_of,
    image_of,
    put_image,
    put_instance,
    put_snapshot,
    registration,
)

THEIRS = {"account": OTHER_ACCOUNT}


def state_of(aws, image_id):
    found = client(aws).describe_images(ImageIds=[image_id], IncludeDisabled=True)["Images"]
    return found[0]["State"]


def deregister(aws, image_id, **asked):
    return client(aws).deregister_image(ImageId=image_id, **asked)


def refusal(act, *args, **kwargs):
    with pytest.raises(ClientError) as error:
        act(*args, **kwargs)
    return code_of(error.value)


def keep_deregistered(aws):
    aws.state.accounts[ACCOUNT] = {"Name": "base", "RecycleBin": True}


def recycled(aws):
    return client(aws).list_images_in_recycle_bin()["Images"]


# DisableImage, EnableImage


def test_disabling_takes_all_launch_permissions(aws):
    permissions = [{"UserId": OTHER_ACCOUNT}, {"Group": "all"}]
    image_id = put_image(aws, Public=True, _permissions=permissions)

    answer = client(aws).disable_image(ImageId=image_id)

    told = client(aws).describe_image_attribute(ImageId=image_id, Attribute="launchPermission")
    assert answer["Return"] is True
    assert told["LaunchPermissions"] == []
    assert state_of(aws, image_id) == "disabled"
    assert refusal(image_of, aws, image_id, account=OTHER_ACCOUNT) == "InvalidAMIID.NotFound"


def test_enabling_does_not_bring_them_back(aws):
    image_id = put_image(aws, Public=True, _permissions=[{"Group": "all"}])
    client(aws).disable_image(ImageId=image_id)

    answer = client(aws).enable_image(ImageId=image_id)

    image = aws.state.things["images"][image_id]
    assert answer["Return"] is True
    assert state_of(aws, image_id) == "available"
    assert (image["_permissions"], image["Public"]) == ([], False)


def test_a_pending_image_can_be_neither_disabled_nor_enabled(aws):
    image_id = put_image(aws, State="pending", _available_at="9")

    client(aws).enable_image(ImageId=image_id)

    assert refusal(client(aws).disable_image, ImageId=image_id) == "InvalidAMIID.Unavailable"
    assert state_of(aws, image_id) == "pending"


@pytest.mark.parametrize("method", ["disable_image", "enable_image", "deregister_image"])
def test_the_images_of_others_are_left_alone(aws, method):
    public = put_image(aws, place=THEIRS, Public=True)
    private = put_image(aws, place=THEIRS)
    act = getattr(client(aws), method)

    assert refusal(act, ImageId=public) == "AuthFailure"
    assert refusal(act, ImageId=private) == "InvalidAMIID.NotFound"


# DeregisterImage


def test_a_deregistered_image_is_gone_and_its_snapshots_stay(aws):
    snapshot_id = put_snapshot(aws)
    image_id = put_image(aws, snapshots=(snapshot_id,))

    answer = deregister(aws, image_id)

    assert answer["Return"] is True
    assert answer.get("DeleteSnapshotResults", []) == []
    assert refusal(image_of, aws, image_id) == "InvalidAMIID.NotFound"
    assert snapshot_id in aws.state.things["snapshots"]


def test_deregistering_twice_is_an_error(aws):
    image_id = put_image(aws)
    deregister(aws, image_id)

    assert refusal(deregister, aws, image_id) == "InvalidAMIID.NotFound"


def test_the_snapshots_go_with_it_but_for_those_that_others_use(aws):
    mine, shared = put_snapshot(aws), put_snapshot(aws)
    image_id = put_image(aws, snapshots=(mine, shared))
    put_image(aws, snapshots=(shared,))

    answer = deregister(aws, image_id, DeleteAssociatedSnapshots=True)

    assert answer["DeleteSnapshotResults"] == [
        {"SnapshotId": mine, "ReturnCode": "success"},
        {"SnapshotId": shared, "ReturnCode": "skipped"},
    ]
    assert list(aws.state.things["snapshots"]) == [shared]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("access-denied", "missing-permissions"),
        ("server-error", "internal-error"),
        ("throttle", "client-error"),
    ],
)
def test_each_snapshot_has_a_result_of_its_own(aws, fault, code):
    denied, deleted = put_snapshot(aws), put_snapshot(aws)
    image_id = put_image(aws, snapshots=(denied, deleted))
    aws.fail("DeleteSnapshot", fault, times=1)

    answer = deregister(aws, image_id, DeleteAssociatedSnapshots=True)

    assert answer["DeleteSnapshotResults"] == [
        {"SnapshotId": denied, "ReturnCode": code},
        {"SnapshotId": deleted, "ReturnCode": "success"},
    ]
    assert list(aws.state.things["snapshots"]) == [denied]


def test_its_instances_run_on_and_remember_it(aws):
    image_id = put_image(aws, Name="golden", CreationDate="2026-01-02T03:04:05.000Z")
    instance_id = put_instance(aws, ImageId=image_id)

    deregister(aws, image_id)

    (found,) = client(aws).describe_instance_image_metadata()["InstanceImageMetadata"]
    assert found["InstanceId"] == instance_id
    assert found["ImageMetadata"]["ImageId"] == image_id
    assert found["ImageMetadata"]["Name"] == "golden"
    assert found["ImageMetadata"]["OwnerId"] == ACCOUNT
    assert found["ImageMetadata"]["State"] == "deregistered"


# A name that is held


def register(aws, name="golden", **place):
    snapshot_id = put_snapshot(aws, place=place)
    return client(aws, **place).register_image(**registration(snapshot_id, Name=name))["ImageId"]


def release(aws, *, seconds):
    aws.state.name_held_seconds = seconds
    image_id = register(aws)
    deregister(aws, image_id)
    return image_id


def test_a_name_outlives_its_image_for_a_while(aws):
    image_id = release(aws, seconds=60)
    wanted = [{"Name": "name", "Values": ["golden"]}]

    with pytest.raises(ClientError, match=image_id) as error:
        register(aws)

    assert code_of(error.value) == "InvalidAMIName.Duplicate"
    assert client(aws).describe_images(Owners=["self"], Filters=wanted)["Images"] == []


def test_a_name_is_free_when_its_time_is_up(aws):
    release(aws, seconds=60)

    aws.state.advance(seconds=61)

    assert register(aws)


def test_a_name_is_held_in_its_account_and_region_alone(aws):
    release(aws, seconds=60)

    assert register(aws, name="other")
    assert register(aws, account=OTHER_ACCOUNT)
    assert register(aws, region="us-east-1")


def test_the_name_of_an_image_in_the_recycle_bin_is_free(aws):
    keep_deregistered(aws)
    release(aws, seconds=60)

    assert register(aws)


# The Recycle Bin


def test_where_a_rule_keeps_it_a_deregistered_image_goes_to_the_recycle_bin(aws):
    keep_deregistered(aws)
    image_id = put_image(aws, Name="golden", Description="of gold")

    deregister(aws, image_id)

    (image,) = recycled(aws)
    assert (image["ImageId"], image["Name"], image["Description"]) == (
        image_id,
        "golden",
        "of gold",
    )
    assert (image["RecycleBinExitTime"] - image["RecycleBinEnterTime"]).days == 14


def test_without_a_rule_it_does_not(aws):
    deregister(aws, put_image(aws))

    assert recycled(aws) == []


def test_a_restored_image_is_as_it_was(aws):
    keep_deregistered(aws)
    image_id = put_image(aws, "RunInstances:0010", Name="golden")
    before = image_of(aws, image_id)
    deregister(aws, image_id)

    answer = client(aws).restore_image_from_recycle_bin(ImageId=image_id)

    assert answer["Return"] is True
    assert image_of(aws, image_id) == before
    assert recycled(aws) == []


def test_what_the_bin_has_kept_long_enough_is_gone(aws):
    keep_deregistered(aws)
    image_id = put_image(aws)
    deregister(aws, image_id)

    aws.state.advance(days=15)

    restore = client(aws).restore_image_from_recycle_bin
    assert recycled(aws) == []
    assert refusal(restore, ImageId=image_id) == "InvalidAMIID.NotFound"


def test_an_image_is_not_restored_over_one_of_the_same_name(aws):
    keep_deregistered(aws)
    image_id = put_image(aws, Name="golden")
    deregister(aws, image_id)
    put_image(aws, Name="golden")

    restore = client(aws).restore_image_from_recycle_bin
    assert refusal(restore, ImageId=image_id) == "InvalidAMIName.Duplicate"
    assert len(recycled(aws)) == 1


def test_the_bin_can_be_asked_for_one(aws):
    keep_deregistered(aws)
    wanted, other = put_image(aws), put_image(aws)
    deregister(aws, wanted)
    deregister(aws, other)
    ec2 = client(aws)

    found = ec2.list_images_in_recycle_bin(ImageIds=[wanted])["Images"]

    assert [image["ImageId"] for image in found] == [wanted]
    assert refusal(ec2.list_images_in_recycle_bin, ImageIds=["ami-0123"]) == "InvalidAMIID.NotFound"
