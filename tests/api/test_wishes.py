import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.api.wishes import VolumeBody, WishBody, asked_fields
from registry.models import Method, Registration, Run

pytestmark = pytest.mark.django_db
OUR_OWN = {
    "id", "run", "prediction", "step", "submitted_at", "image_id", "batch",
    "platform_details", "usage_operation", "mismatch_seen_at", "verdict", "missing",
    "unexpected", "differences", "readings",
}  # fmt: skip


def test_every_field_of_a_registration_can_be_sent_or_is_the_portal_s_own():
    fields = {field.name for field in Registration._meta.concrete_fields}

    assert set(WishBody.model_fields) == fields - OUR_OWN


def test_every_field_counts_for_a_way_of_making_an_image():
    counting = {name for method in Method for name in asked_fields(method)}

    assert set(WishBody.model_fields) - counting == {"key", "account", "region", "method"}


def test_what_is_left_out_is_not_given():
    assert WishBody().given() == {"method": "snapshot"}


HOSTILE = [
    ("body", None, 7, "Write an object."),
    ("nonsense", "nonsense", "x", "There is no such field."),
    ("image_id", "image_id", "ami-1", "There is no such field."),
    ("verdict", "verdict", "ok", "There is no such field."),
    ("account_id", "account_id", 1, "There is no such field."),
    ("no account", "account", "000000000000", "There is no such account."),
    ("account as a number", "account", 123456789012, "Write a text."),
    ("no region", "region", None, "This field is needed."),
    ("another method", "method", "magic", "Write 'snapshot', 'instance', 'copy' or 'manifest'."),
    ("no name", "name", "", "This field is needed."),
    ("a long name", "name", "x" * 129, "Use at most 128 characters."),
    ("a name with a star", "name", "no*stars", "Use 3 to 128 letters"),
    ("a name as a list", "name", ["golden"], "Write a text."),
    ("NUL in a name", "name", "gol\0den", "Leave the character NUL out."),
    ("half a surrogate", "name", "gol\ud800den", "Half a surrogate pair is no character."),
    ("a long description", "description", "x" * 256, "Use at most 255 characters."),
    ("NUL in a reason", "reason", "be\0cause", "Leave the character NUL out."),
    ("a long reason", "reason", "x" * 2_001, "Use at most 2,000 characters."),
    ("no code", "expected_usage_operation", "RunInstances:zzzz", "Choose what AWS must bill"),
    ("a size as text", "volume_size", "8", "Write a whole number."),
    ("a size with a fraction", "volume_size", 8.5, "Write a whole number."),
    ("a size as true", "volume_size", True, "Write a whole number."),
    ("a negative size", "volume_size", -1, "Use at least 0."),
    ("a huge size", "volume_size", 2**31, "Use at most 2,147,483,647."),
    ("a larger size", "volume_size", 10**40, "Use at most 2,147,483,647."),
    ("a switch as text", "ena_support", "true", "Write true or false."),
    ("a switch as number", "delete_on_termination", 1, "Write true or false."),
    ("tags as text", "tags", "team=erp", "Write an object."),
    ("reserved tags", "tags", {"aws:x": "y"}, "are reserved"),
    ("another's field", "no_reboot", True, "the method snapshot has no such field."),
    ("another's source", "source_image_id", "ami-1", "the method snapshot has no such field."),
    ("a key of words", "key", "golden", "Write a UUID."),
    ("a key as number", "key", 7, "Write a UUID."),
    ("no architecture", "architecture", "riscv64", "Choose x86_64"),
    ("devices as text", "block_devices", "/dev/sdf", "Write a list."),
    ("too many devices", "block_devices", [{}] * 41, "Give at most 40."),
    ("a device without a name", "block_devices", [{}], "write a device name"),
]


@pytest.mark.parametrize("address", ["/registrations", "/registrations/check"])
@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, *case in HOSTILE])
def test_what_makes_no_sense_is_told_at_its_field(program, wish, address, case):
    field, value, says = case

    answer = program.post(address, json.dumps(wish | {field: value} if field else value))

    problems = answer.json()["problems"]
    assert says in problems[field or "body"]
    assert problems.keys() == {field or "body"}
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "place", "says"),
    [
        pytest.param("tags", {"team": 1}, "tags.team", "Write a text.", id="a tag as number"),
        pytest.param("tags", {"a": "\0"}, "tags.a", "Leave the character NUL out.", id="a NUL"),
        pytest.param("tags", {"\0": "a"}, "tags.\0.[key]", "Leave the character", id="a NUL key"),
        pytest.param(
            "block_devices",
            [{"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": "8"}}],
            "block_devices.0.Ebs.VolumeSize",
            "Write a whole number.",
            id="a size",
        ),
        pytest.param(
            "block_devices",
            [{"DeviceName": "/dev/sdf", "Ebs": {"KmsKeyId": "x"}}],
            "block_devices.0.Ebs.KmsKeyId",
            "There is no such field.",
            id="a member",
        ),
    ],
)
def test_what_is_wrong_deep_inside_is_told_at_its_place(program, wish, field, value, place, says):
    answer = program.post("/registrations", json.dumps(wish | {field: value}))

    assert answer.json()["problems"].keys() == {place}
    assert says in answer.json()["problems"][place]


def test_a_region_that_is_not_read_is_told(program, wish):
    answer = program.post("/registrations", wish | {"region": "us-west-2"})

    assert answer.json()["problems"]["region"].startswith("This account is not read in this")


def test_the_fields_of_each_way_are_needed(program, wish):
    wanted = {"account": wish["account"], "region": wish["region"], "method": "copy"}

    answer = program.post("/registrations", wanted)

    assert answer.json()["problems"] == dict.fromkeys(
        ["name", "expected_usage_operation", "source_image_id", "source_region"],
        "This field is needed.",
    )


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
# Words and numbers that mean something somewhere reach deeper than noise.
WORDS = st.sampled_from(
    (
        *("snapshot", "instance", "copy", "manifest", "eu-west-1", "RunInstances:0010"),
        *("gp3", "io2", "st1", "x86_64", "arm64", "hvm", "paravirtual", "uefi", "v2.0", "simple"),
        *("/dev/sda1", "bucket/b.manifest.xml", "aki-12345678", "AAAA", "\0", "\ud800", ""),
    )
)
DEVICES = st.lists(
    st.fixed_dictionaries(
        {"DeviceName": st.just("/dev/sdf") | ANYTHING},
        optional={
            "Ebs": st.fixed_dictionaries(
                {}, optional=dict.fromkeys(VolumeBody.model_fields, WORDS | ANYTHING)
            ),
            "VirtualName": WORDS | ANYTHING,
            "NoDevice": WORDS | ANYTHING,
        },
    ),
    max_size=3,
)
# A wrong type is refused at once; one or two fields of the right type get further.
CHANGES = st.dictionaries(
    st.sampled_from(list(WishBody.model_fields)), WORDS | st.just("\0"), max_size=2
) | (st.fixed_dictionaries({}, optional=dict.fromkeys(WishBody.model_fields, WORDS | ANYTHING)))


@settings(
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    changes=CHANGES,
    devices=st.just({}) | st.fixed_dictionaries({"block_devices": DEVICES}),
)
def test_nothing_that_can_be_sent_makes_the_portal_fail(program, wish, changes, devices):
    answer = program.post("/registrations/check", json.dumps(wish | changes | devices))

    assert answer.status_code in {200, 422}


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=ANYTHING)
def test_nothing_at_all_makes_the_portal_fail(program, sent):
    for_removals = program.post("/removals", json.dumps(sent))
    for_registrations = program.post("/registrations", json.dumps(sent))

    assert {for_removals.status_code, for_registrations.status_code} <= {422}
