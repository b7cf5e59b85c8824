"""Whatever stands in a field: a message for it, or a row that can be kept and sent."""

from uuid import uuid4

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.models import Method, Registration, RunKind
from registry.registration import Refused, Wish, check, propose, request
from registry.registration.storable import malformed, too_large
from tests.factories import make_run
from tests.registration.sources import FIELDS, mirror_sources
from tests.registration.wanted import problems, wanted

# What a request may name.
_OURS = {
    *("id", "key", "batch", "run", "account", "prediction", "step", "submitted_at"),
    *("image_id", "platform_details", "usage_operation", "mismatch_seen_at", "verdict", "missing"),
    *("unexpected", "differences", "readings"),
}
NAMES = [field.name for field in Registration._meta.concrete_fields if field.name not in _OURS]
# Words that lead somewhere, and letters that no database keeps.
WORDS = (
    "",
    "golden",
    "eu-west-1",
    "us-east-1",
    "/dev/sdf",
    "gp3",
    "io2",
    "uefi",
    "paravirtual",
    "RunInstances:0010",
    "aws:x",
    "\x00",
    "\ud800",
    "a" * 3_000,
    "bucket/" + "a" * 2_000 + ".manifest.xml",
    *(value for fields in FIELDS.values() for value in fields.values()),
)
DEVICE_MEMBERS = ("DeviceName", "VirtualName", "NoDevice", "Ebs", "Colour")
EBS_MEMBERS = (
    *("SnapshotId", "VolumeSize", "VolumeType", "Iops", "Throughput"),
    *("DeleteOnTermination", "Encrypted", "KmsKeyId"),
)

texts = st.sampled_from(WORDS) | st.text(st.characters(), max_size=20)
numbers = st.integers() | st.sampled_from([0, 1, 8, 3_000, 2**31 - 1, 2**31, -1])
simple = st.none() | st.booleans() | numbers | st.floats() | texts
volumes = st.dictionaries(st.sampled_from(EBS_MEMBERS), simple | st.lists(simple, max_size=2))
devices = st.dictionaries(st.sampled_from(DEVICE_MEMBERS), simple | volumes)
values = st.one_of(
    simple,
    st.dictionaries(texts, simple, max_size=3),
    st.lists(simple | devices, max_size=3),
    st.recursive(
        simple, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=5
    ),
)
requests = st.dictionaries(st.sampled_from(NAMES), values, max_size=3)
hostile = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def account(scope):
    """An account with one thing of each kind that an image can be made of."""
    mirror_sources(scope.account)
    return scope.account


def as_asked(method, fields):
    plain = {"region": "eu-west-1", "name": "golden", "expected_usage_operation": "RunInstances"}
    return {**plain, **FIELDS[method], **fields}


def refused(registration):
    """Return what is wrong, by field."""
    try:
        check(registration)
    except Refused as error:
        return error.problems
    return {}


def kept(registration):
    """Return a registration as the database gives it back, without leaving it there."""
    with transaction.atomic():
        registration.run = make_run(kind=RunKind.REGISTER)
        registration.save()
        found = Registration.objects.get(pk=registration.pk)
        transaction.set_rollback(True)
    return found


@pytest.mark.parametrize("method", list(Method))
@hostile
@given(fields=requests)
def test_whatever_is_asked_is_refused_at_a_field_or_can_be_kept(account, method, fields):
    registration = Registration(account=account, **as_asked(method, fields))

    said = refused(registration)

    assert said.keys() <= {*NAMES}
    assert all(said.values())
    assert said or request(kept(registration)) == request(registration)


@pytest.mark.parametrize("method", list(Method))
@hostile
@given(fields=requests)
def test_whatever_is_asked_becomes_a_proposal(account, method, fields):
    [proposal] = propose([Wish(uuid4(), account, as_asked(method, fields))], by=None)

    assert bool(proposal.problems) != (proposal.prediction is not None) or "reason" in (
        proposal.problems
    )


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        pytest.param({"name": 5}, "name", "as text", id="number as a name"),
        pytest.param({"name": None}, "name", "as text", id="nothing as a name"),
        pytest.param({"snapshot_id": ["snap-1"]}, "snapshot_id", "as text", id="list"),
        pytest.param({"reason": {"because": 1}}, "reason", "as text", id="mapping"),
        pytest.param({"description": "a\x00b"}, "description", "can't be kept", id="NUL"),
        pytest.param({"reason": "\ud800"}, "reason", "can't be kept", id="half a letter"),
        pytest.param({"tags": {"a\x00": ""}}, "tags", "can't be kept", id="NUL in a key"),
        pytest.param(
            {"block_devices": [{"DeviceName": "\x00"}]}, "block_devices", "can't be", id="NUL below"
        ),
        pytest.param({"tags": None}, "tags", "as keys with texts", id="no tags"),
        pytest.param({"tags": ["team"]}, "tags", "as keys with texts", id="list of tags"),
        pytest.param({"block_devices": {}}, "block_devices", "as a list", id="one device"),
        pytest.param({"volume_size": "8"}, "volume_size", "a whole number", id="text as a size"),
        pytest.param({"iops": True}, "iops", "a whole number", id="truth as a number"),
        pytest.param({"throughput": -1}, "throughput", "a whole number", id="below nothing"),
        pytest.param({"ena_support": "off"}, "ena_support", "true or false", id="text as truth"),
        pytest.param({"no_reboot": None}, "no_reboot", "true or false", id="neither"),
    ],
)
def test_what_is_of_another_kind_is_said_at_its_field(fields, field, says):
    [(at, text)] = malformed(wanted(**fields))

    assert at == field
    assert says in text


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        pytest.param({"kms_key_id": "k" * 2_049}, "kms_key_id", "at most 2,048", id="key"),
        pytest.param({"image_location": "b" * 1_025}, "image_location", "1,024", id="manifest"),
        pytest.param({"iops": 2**31}, "iops", "at most 2,147,483,647", id="number"),
    ],
)
def test_what_is_too_large_to_be_kept_is_said_at_its_field(fields, field, says):
    [(at, text)] = too_large(wanted(**fields))

    assert at == field
    assert says in text


def test_a_better_reason_comes_first(asked):
    assert problems(asked(name="a" * 129)) == {
        "name": "Use 3 to 128 letters, digits, spaces and ( ) [ ] . / - ' @ _."
    }
