from typing import Any

import pytest

from registry.forms.patterns import PatternForm
from registry.models import Pattern
from tests.factories import make_account, make_pattern

pytestmark = pytest.mark.django_db
RHEL = "RunInstances:0010"
GOOD = {
    "kind": "name",
    "text": "golden-*",
    "usage_operation": RHEL,
    "strength": "medium",
    "is_active": "on",
}


def errors(instance=None, **fields):
    """Return the first message of each field that is wrong."""
    form = PatternForm(GOOD | fields, instance=instance)
    return {name: said[0] for name, said in form.errors.items()}


def test_a_pattern_of_a_name():
    form = PatternForm(GOOD | {"key": "left over from a tag", "note": "So."})

    row = form.save(commit=False)

    assert (row.kind, row.key, row.text, row.usage_operation) == ("name", "", "golden-*", RHEL)
    assert (row.strength, row.account, row.note, row.is_active) == ("medium", None, "So.", True)


def test_a_pattern_of_a_tag_for_an_account():
    account = make_account()
    form = PatternForm(GOOD | {"kind": "tag", "key": "OS", "text": "*", "account": account.pk})

    row = form.save(commit=False)

    assert (row.kind, row.key, row.text, row.account) == ("tag", "OS", "*", account)


def test_every_code_of_the_reference_may_be_expected():
    field: Any = PatternForm().fields["usage_operation"]
    codes = [code for code, _ in field.choices if code]

    assert RHEL in codes
    assert [code for code in codes if errors(usage_operation=code)] == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param(
            {"text": "*"}, {"text": "This fits every name. Name some characters."}, id="all"
        ),
        pytest.param(
            {"text": "*?*"}, {"text": "This fits every name. Name some characters."}, id="??"
        ),
        pytest.param({"text": ""}, {"text": "This field is required."}, id="nothing"),
        pytest.param({"kind": "tag"}, {"key": "Name the tag."}, id="a tag without its key"),
        pytest.param(
            {"usage_operation": ""}, {"usage_operation": "This field is required."}, id="no code"
        ),
        pytest.param(
            {"text": "x" * 257},
            {"text": "Ensure this value has at most 256 characters (it has 257)."},
            id="too long",
        ),
        pytest.param(
            {"kind": "tag", "key": "x" * 129},
            {"key": "Ensure this value has at most 128 characters (it has 129)."},
            id="a key too long",
        ),
        pytest.param(
            {"note": "x" * 501},
            {"note": "Ensure this value has at most 500 characters (it has 501)."},
            id="a note too long",
        ),
        pytest.param({"text": "a\0*"}, {"text": "Null characters are not allowed."}, id="NUL"),
        pytest.param(
            {"kind": "tag", "key": "o\0s"},
            {"key": "Null characters are not allowed."},
            id="NUL in key",
        ),
        pytest.param(
            {"note": "\0"}, {"note": "Null characters are not allowed."}, id="NUL in note"
        ),
    ],
)
def test_what_is_wrong_is_said_at_its_field(fields, expected):
    assert errors(**fields) == expected


@pytest.mark.parametrize("name", ["kind", "usage_operation", "strength", "account"])
@pytest.mark.parametrize("text", ["\0", "RunInstances:zzzz", "9" * 40, "-1", "' OR 1=1 --"])
def test_only_a_choice_is_chosen(name, text):
    assert list(errors(**{name: text})) == [name]


@pytest.mark.parametrize(
    "text",
    [
        *("<script>alert(1)</script>", "' OR 1=1 --", "%", "\\", "[", "(?:", "a" * 300),
        *("\u202eevil", "\x1b[31m", "\n", "İ", "\0", "\x85", "🦊"),
    ],
)
def test_any_text_is_a_pattern_or_is_refused(text):
    said = errors(kind="tag", key=text, text=text, note=text)

    assert said.keys() <= {"key", "text", "note"}


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="the same"),
        pytest.param({"text": "GOLDEN-*"}, id="in another case"),
        pytest.param({"usage_operation": "RunInstances"}, id="for another code"),
    ],
)
def test_there_is_one_pattern_for_what_it_fits(fields):
    make_pattern(text="golden-*", is_active=False)

    assert errors(**fields) == {
        "text": "There is already a pattern like this one, switched off. Change that one."
    }


@pytest.mark.parametrize("has_account", [False, True], ids=["another account", "for all"])
def test_another_account_is_another_pattern(has_account):
    account = make_account()
    make_pattern(text="golden-*", account=account if has_account else None)

    assert errors(account="" if has_account else account.pk) == {}


def test_a_tag_of_another_key_is_another_pattern():
    make_pattern(kind="tag", key="OS", text="golden-*")

    assert errors(kind="tag", key="team") == {}
    assert list(errors(kind="tag", key="os")) == ["text"]


def test_a_pattern_is_not_its_own_double():
    assert errors(instance=make_pattern(text="golden-*"), text="GOLDEN-*") == {}


def fingerprint(instance=None, **fields):
    form = PatternForm(GOOD | fields, instance=instance)
    assert form.is_valid()
    return form.fingerprint()


def test_a_fingerprint_tells_what_was_tried():
    assert fingerprint() == fingerprint()
    others = [
        fingerprint(text="silver-*"),
        fingerprint(kind="tag", key="os"),
        fingerprint(usage_operation="RunInstances"),
        fingerprint(strength="weak"),
        fingerprint(account=make_account().pk),
        fingerprint(note="So."),
        fingerprint(is_active=""),
        fingerprint(instance=make_pattern(text="golden-*")),
    ]
    assert len({fingerprint(text="other"), *others}) == len(others) + 1
    assert not Pattern.objects.filter(text="silver-*").exists()
