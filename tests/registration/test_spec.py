import uuid

import pytest

from registry.models import Registration
from registry.registration import Refused, check
from registry.registration.spec import parameters, tags
from tests.factories import (
    LATER,
    make_account,
    make_image,
    make_registration,
    make_run,
    make_snapshot,
)

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


@pytest.fixture
def asked(db):
    """Make a registration of a snapshot that the mirror has, not yet saved."""

    def ask(snapshot=None, account=None, **fields):
        account = account or make_account()
        make_snapshot(
            account=account, **{"aws_id": SNAPSHOT_ID, "region": "eu-west-1"} | (snapshot or {})
        )
        return wanted(account=account, **fields)

    return ask


def problems(registration):
    with pytest.raises(Refused) as caught:
        check(registration)
    return caught.value.problems


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="as the form has it"),
        pytest.param({"name": "abc"}, id="shortest name"),
        pytest.param({"name": "a" * 128}, id="longest name"),
        pytest.param({"name": "A-z 09 ()[]./'@_"}, id="every letter of a name"),
        pytest.param({"description": "d" * 255}, id="longest description"),
        pytest.param({"expected_usage_operation": "RunInstances"}, id="plain code"),
        pytest.param({"expected_usage_operation": "RunInstances:0v00"}, id="unpublished code"),
        pytest.param({"architecture": "arm64", "boot_mode": "uefi"}, id="arm64 with uefi"),
        pytest.param({"boot_mode": "legacy-bios"}, id="x86_64 with BIOS"),
        pytest.param({"root_device_name": "xvdf"}, id="device without folder"),
        pytest.param({"tags": {f"key-{n}": "v" * 256 for n in range(49)}}, id="most tags"),
        pytest.param({"tags": {"k" * 127: ""}}, id="longest key"),
    ],
)
def test_what_aws_takes_is_not_refused(asked, fields):
    check(asked(**fields))


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        pytest.param({"name": "ab"}, "name", "Use 3 to 128 letters", id="name too short"),
        pytest.param({"name": "a" * 129}, "name", "Use 3 to 128 letters", id="name too long"),
        pytest.param({"name": "a*c"}, "name", "Use 3 to 128 letters", id="wildcard in name"),
        pytest.param({"name": "näme"}, "name", "Use 3 to 128 letters", id="umlaut in name"),
        pytest.param({"name": "abc\n"}, "name", "Use 3 to 128 letters", id="line end in name"),
        pytest.param(
            {"description": "d" * 256}, "description", "at most 255", id="description too long"
        ),
        pytest.param(
            {"expected_usage_operation": ""},
            "expected_usage_operation",
            "Choose what AWS must bill it as.",
            id="nothing expected",
        ),
        pytest.param(
            {"expected_usage_operation": "Windows"},
            "expected_usage_operation",
            "Choose what AWS must bill it as.",
            id="no code expected",
        ),
        pytest.param(
            {"architecture": "i386"}, "architecture", "Choose x86_64 or arm64.", id="i386"
        ),
        pytest.param(
            {"boot_mode": "bios"},
            "boot_mode",
            "Choose none or uefi-preferred or uefi or legacy-bios.",
            id="unknown boot mode",
        ),
        pytest.param(
            {"architecture": "arm64", "boot_mode": "legacy-bios"},
            "boot_mode",
            "arm64 boot with UEFI only",
            id="arm64 with BIOS",
        ),
        pytest.param({"volume_type": "io2"}, "volume_type", "Choose gp3 or gp2.", id="io2"),
        pytest.param({"imds_support": "v1.0"}, "imds_support", "Choose none or v2.0.", id="imds"),
        pytest.param(
            {"root_device_name": "/dev/"}, "root_device_name", "Write a device name", id="no device"
        ),
        pytest.param(
            {"root_device_name": "/dev/sda1 "}, "root_device_name", "Write a device", id="space"
        ),
        pytest.param(
            {"tags": {f"key-{n}": "" for n in range(50)}}, "tags", "at most 49", id="many tags"
        ),
        pytest.param({"tags": {"": "v"}}, "tags", "A key has 1 to 127", id="empty key"),
        pytest.param({"tags": {"k" * 128: "v"}}, "tags", "A key has 1 to 127", id="key too long"),
        pytest.param({"tags": {"k": "v" * 257}}, "tags", "a value at most 256", id="long value"),
        pytest.param({"tags": {"AWS:x": "v"}}, "tags", "reserved", id="key of AWS"),
        pytest.param({"tags": {"amiportal:registration": "v"}}, "tags", "reserved", id="our key"),
        pytest.param(
            {"snapshot": {"aws_id": "snap-other"}}, "snapshot_id", "no such snapshot", id="unknown"
        ),
        pytest.param(
            {"snapshot": {"region": "us-east-1"}}, "snapshot_id", "no such snapshot", id="elsewhere"
        ),
        pytest.param(
            {"snapshot": {"gone_at": LATER}}, "snapshot_id", "no such snapshot", id="snapshot gone"
        ),
        pytest.param(
            {"snapshot": {"state": "pending"}},
            "snapshot_id",
            "The snapshot is pending. Wait for it.",
            id="snapshot pending",
        ),
        pytest.param(
            {"snapshot": {"state": ""}}, "snapshot_id", "is not ready. Wait", id="state unknown"
        ),
        pytest.param(
            {"snapshot": {"storage_tier": "archive"}},
            "snapshot_id",
            "Restore it to the standard tier first.",
            id="snapshot archived",
        ),
    ],
)
def test_what_aws_would_refuse_is_said_at_its_field(asked, fields, field, says):
    found = problems(asked(**fields))

    assert list(found) == [field]
    assert says in found[field]


def test_every_field_has_its_own_problem(asked):
    found = problems(asked(name="", architecture="", root_device_name=""))

    assert list(found) == ["name", "architecture", "root_device_name"]


def test_another_account_s_snapshot_is_not_ours(asked):
    registration = asked()
    registration.account = make_account()

    assert list(problems(registration)) == ["snapshot_id"]


def test_an_account_that_is_only_known_from_a_recording_is_refused(asked):
    found = problems(asked(account=make_account(is_synced=False)))

    assert found == {"account": "This account is only known from a recording. Connect it first."}


def test_a_name_that_an_image_has_is_refused(asked):
    registration = asked()
    make_image(account=registration.account, name="golden")

    assert problems(registration) == {
        "name": "An image of this account and region has this name. Choose another."
    }


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"region": "us-east-1"}, id="in another region"),
        pytest.param({"gone_at": LATER}, id="of an image that is gone"),
        pytest.param({"name": "Golden"}, id="in other letters"),
    ],
)
def test_a_name_that_is_free_here_is_taken(asked, fields):
    registration = asked()
    make_image(account=registration.account, **{"name": "golden"} | fields)

    check(registration)


def test_a_name_of_a_registration_under_way_is_refused(asked):
    registration = asked()
    make_registration(account=registration.account, name="golden")

    assert problems(registration) == {
        "name": "A registration of this name is under way. Choose another."
    }


def test_a_name_of_a_registration_that_failed_is_free_again(asked):
    registration = asked()
    run = make_run(kind="register", state="failed", finished_at=LATER, error="Refused.")
    make_registration(account=registration.account, name="golden", run=run)

    check(registration)
