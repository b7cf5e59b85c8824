import pytest

from registry.models import Scope
from registry.registration import check
from tests.factories import (
    LATER,
    make_account,
    make_image,
    make_instance,
    make_registration,
    make_run,
    make_scope,
)
from tests.registration.wanted import problems, wanted


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
            {"architecture": "riscv64"}, "architecture", "Choose x86_64 or arm64 or", id="riscv64"
        ),
        pytest.param({"method": "prayer"}, "method", "Choose snapshot, instance", id="no method"),
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
        pytest.param({"volume_type": "gp9"}, "volume_type", "Choose gp3, gp2", id="gp9"),
        pytest.param({"volume_type": "io2"}, "iops", "Say how many IOPS", id="io2 without IOPS"),
        pytest.param(
            {"volume_type": "st1", "volume_size": 125},
            "volume_type",
            "can't be st1",
            id="st1 as root",
        ),
        pytest.param({"volume_size": 7}, "volume_size", "at least 8 GiB", id="below snapshot"),
        pytest.param({"tags": {"k": 1}}, "tags", "keys with texts", id="tag of a number"),
        pytest.param({"snapshot_tags": {"aws:x": ""}}, "snapshot_tags", "reserved", id="of AWS"),
        pytest.param({"tpm_support": "v2.0"}, "tpm_support", "needs the boot mode uefi", id="TPM"),
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


def test_a_region_that_is_not_read_is_refused(asked):
    registration = asked()
    Scope.objects.update(is_enabled=False)

    assert problems(registration) == {
        "region": "This account is not read in this region. Choose another."
    }


def test_every_field_has_its_own_problem(asked):
    found = problems(asked(name="", architecture="", root_device_name=""))

    assert list(found) == ["name", "architecture", "root_device_name"]


def test_another_account_s_snapshot_is_not_ours(asked):
    registration = asked()
    registration.account = make_scope(region="eu-west-1").account

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


@pytest.fixture
def from_instance(db):
    """Make a registration of an instance that the mirror has, not yet saved."""

    def ask(instance=None, **fields):
        scope = make_scope(region="eu-west-1")
        place = {"account": scope.account, "region": "eu-west-1"}
        found = make_instance(**{"state": "running"} | place | (instance or {}))
        given = {"method": "instance", "snapshot_id": "", "source_instance_id": found.aws_id}
        return wanted(account=scope.account, **given | fields)

    return ask


@pytest.mark.parametrize(
    ("instance", "fields"),
    [
        pytest.param({}, {}, id="running"),
        pytest.param({"state": "stopped"}, {"no_reboot": True}, id="stopped"),
        pytest.param({"boot_mode": "uefi"}, {"boot_mode": "uefi"}, id="boots with UEFI"),
        pytest.param({"boot_mode": ""}, {"boot_mode": "uefi"}, id="boot mode not known"),
    ],
)
def test_an_instance_that_aws_takes_is_not_refused(from_instance, instance, fields):
    check(from_instance(instance, **fields))


@pytest.mark.parametrize(
    ("instance", "fields", "field", "says"),
    [
        pytest.param(
            {}, {"source_instance_id": "i-0bad"}, "source_instance_id", "no such", id="unknown"
        ),
        pytest.param({"gone_at": LATER}, {}, "source_instance_id", "no such", id="gone"),
        pytest.param({"region": "us-east-1"}, {}, "source_instance_id", "no such", id="elsewhere"),
        pytest.param(
            {"state": "terminated"}, {}, "source_instance_id", "is terminated", id="terminated"
        ),
        pytest.param({}, {"boot_mode": "uefi-preferred"}, "boot_mode", "uefi or none", id="mode"),
        pytest.param(
            {"boot_mode": "legacy-bios"}, {"boot_mode": "uefi"}, "boot_mode", "BIOS", id="BIOS"
        ),
    ],
)
def test_what_is_wrong_with_an_instance_is_said(from_instance, instance, fields, field, says):
    found = problems(from_instance(instance, **fields))

    assert list(found) == [field]
    assert says in found[field]


@pytest.fixture
def as_copy(db):
    """Make a registration of a copy of an image that the mirror has, not yet saved."""

    def ask(image=None, **fields):
        scope = make_scope(region="eu-west-1")
        place = {"account": scope.account, "region": "us-east-1"}
        found = make_image(**{"state": "available"} | place | (image or {}))
        given = {
            "method": "copy",
            "snapshot_id": "",
            "source_image_id": found.aws_id,
            "source_region": "us-east-1",
        }
        return wanted(account=scope.account, **given | fields)

    return ask


def test_a_copy_that_aws_takes_is_not_refused(as_copy):
    check(as_copy(is_encrypted=True, kms_key_id="alias/images"))


@pytest.mark.parametrize(
    ("image", "fields", "field", "says"),
    [
        pytest.param({}, {"source_image_id": "ami-0bad"}, "source_image_id", "no such", id="no"),
        pytest.param(
            {}, {"source_region": "eu-west-1"}, "source_image_id", "no such", id="elsewhere"
        ),
        pytest.param({"gone_at": LATER}, {}, "source_image_id", "no such", id="gone"),
        pytest.param({"state": "pending"}, {}, "source_image_id", "is pending", id="pending"),
        pytest.param({}, {"kms_key_id": "k"}, "kms_key_id", "only for an encrypted", id="key"),
        pytest.param(
            {},
            {"is_encrypted": True, "kms_key_id": "k" * 2_049},
            "kms_key_id",
            "at most 2,048 characters",
            id="key longer than the database holds",
        ),
    ],
)
def test_what_is_wrong_with_a_copy_is_said(as_copy, image, fields, field, says):
    found = problems(as_copy(image, **fields))

    assert list(found) == [field]
    assert says in found[field]


@pytest.mark.parametrize(
    "location",
    ["", "image.manifest.xml", "s3://bucket/image.manifest.xml", "bucket/image.xml", "b/.xml"],
)
def test_a_manifest_that_is_none_is_refused(db, location):
    account = make_scope(region="eu-west-1").account
    given = {"method": "manifest", "snapshot_id": "", "image_location": location}

    assert list(problems(wanted(account=account, **given))) == ["image_location"]


def test_a_manifest_is_taken(db):
    account = make_scope(region="eu-west-1").account
    location = "my-bucket/golden/image.manifest.xml"

    check(wanted(account=account, method="manifest", snapshot_id="", image_location=location))
