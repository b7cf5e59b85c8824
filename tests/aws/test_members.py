import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.aws import Malformed
from registry.aws.members import (
    LARGEST,
    amount,
    clean,
    codes,
    flag,
    identity,
    members,
    moment,
    part,
    product_codes,
    recorded,
    tags,
    whole,
    words,
)
from tests.data.hostile import JSON

READERS = [words, recorded, moment, amount, whole, flag, members, part, identity]


@pytest.mark.parametrize("read", [words, recorded, moment, amount, whole, flag, members, part])
@pytest.mark.parametrize("item", [{}, {"X": None}], ids=["left out", "null"])
def test_a_member_that_is_not_there_is_empty(read, item):
    assert not read(item, "X")


@pytest.mark.parametrize("read", READERS)
@given(value=JSON)
def test_any_value_is_read_or_refused_by_name(read, value):
    try:
        read({"X": value}, "X")
    except Malformed as error:
        assert "X" in str(error)  # noqa: PT017  # nothing else may be raised


@given(value=st.text(st.characters()))
def test_a_text_that_is_read_can_be_stored(value):
    text = words({"X": value}, "X")

    assert "\x00" not in text
    assert text.encode().decode() == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("", "", id="empty"),
        pytest.param("a\x00b", "a\ufffdb", id="NUL"),
        pytest.param("a\ud800b", "a\ufffdb", id="half a surrogate pair"),
        pytest.param("😀", "😀", id="beyond the basic plane"),
        pytest.param("<script>alert(1)</script>", "<script>alert(1)</script>", id="HTML"),
        pytest.param("\u202egnp", "\u202egnp", id="right to left"),
        pytest.param("x" * 300, "x" * 255, id="longer than its column"),
    ],
)
def test_a_text_stays_as_far_as_it_can_be_kept(value, text):
    assert words({"X": value}, "X") == text


@pytest.mark.parametrize("value", [1, 1.5, True, [], {}, ["a"]], ids=repr)
def test_what_is_no_text_is_refused(value):
    with pytest.raises(Malformed, match="X is not a text"):
        words({"X": value}, "X")


def test_a_message_shows_the_beginning_of_a_long_value():
    with pytest.raises(Malformed) as raised:
        words({"X": ["y" * 100_000]}, "X")

    assert len(str(raised.value)) < 400


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-24T12:00:00.000Z",
        "2026-11-24T12:00:00Z",
        "2026-11-24T12:00:00+00:00",
        "2026-11-24T13:00:00+01:00",
        "2026-11-24T12:00:00",
        datetime(2026, 11, 24, 12, tzinfo=UTC),
        datetime(2026, 11, 24, 13, tzinfo=timezone(timedelta(hours=1))),
    ],
    ids=str,
)
def test_a_time_is_read_in_every_form(value):
    assert moment({"X": value}, "X") == datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    ["yesterday", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00", 1_700_000_000, True, []],
    ids=repr,
)
def test_what_is_no_time_is_refused(value):
    with pytest.raises(Malformed, match="X is not a time"):
        moment({"X": value}, "X")


@pytest.mark.parametrize(
    ("value", "number"),
    [(0, "0"), (0.0, "0.0"), (0.041, "0.041"), (1234, "1234"), (1e-05, "0.00001")],
)
def test_an_amount_is_exact(value, number):
    assert amount({"X": value}, "X") == Decimal(number)


@pytest.mark.parametrize(
    "value",
    ["", "free", float("nan"), float("inf"), -0.5, 1e12, 1e300, True, [], {}],
    ids=repr,
)
def test_what_is_no_amount_is_refused(value):
    with pytest.raises(Malformed, match="X is not an amount"):
        amount({"X": value}, "X")


@pytest.mark.parametrize("value", [0, 1, LARGEST])
def test_a_whole_number_is_read(value):
    assert whole({"X": value}, "X") == value


@pytest.mark.parametrize(
    "value", [-1, LARGEST + 1, 10**4000, 1.0, "8", True, []], ids=lambda v: str(v)[:9]
)
def test_what_is_no_whole_number_is_refused(value):
    with pytest.raises(Malformed, match="X is not a whole number"):
        whole({"X": value}, "X")


@pytest.mark.parametrize("value", [0, 1, "true", []], ids=repr)
def test_what_is_neither_true_nor_false_is_refused(value):
    with pytest.raises(Malformed, match="X is not true or false"):
        flag({"X": value}, "X")


@pytest.mark.parametrize("value", [{}, "", 0, [1], [[]], [None], "ab"], ids=repr)
def test_what_is_no_list_of_objects_is_refused(value):
    with pytest.raises(Malformed, match="X is not a list of objects"):
        members({"X": value}, "X")


@pytest.mark.parametrize("value", [[], "", 0, "ab"], ids=repr)
def test_what_is_no_object_is_refused(value):
    with pytest.raises(Malformed, match="X is not an object"):
        part({"X": value}, "X")


@pytest.mark.parametrize("item", [{}, {"X": None}, {"X": ""}, {"X": 7}, {"X": "i-" + "0" * 63}])
def test_a_thing_without_an_id_is_refused(item):
    with pytest.raises(Malformed, match="X is missing or not an id"):
        identity(item, "X")


@given(value=JSON)
def test_what_is_cleaned_can_be_stored_or_is_refused(value):
    try:
        text = json.dumps(clean(value), ensure_ascii=False, allow_nan=False)
    except Malformed:
        return

    assert "\\u0000" not in text.replace("\\\\", "")
    assert text.encode().decode() == text


def test_what_is_nested_without_end_is_refused():
    value: list = []
    for _ in range(100):
        value = [value]

    with pytest.raises(Malformed, match="nested"):
        clean(value)


@pytest.mark.parametrize(
    ("item", "found"),
    [
        pytest.param(
            {"PlatformDetails": "Windows", "UsageOperation": "RunInstances:0002"},
            ("Windows", "RunInstances:0002"),
            id="both",
        ),
        pytest.param({"PlatformDetails": "", "UsageOperation": ""}, ("", ""), id="both empty"),
        pytest.param({"PlatformDetails": ""}, ("", ""), id="empty details alone"),
        pytest.param({"PlatformDetails": "Windows"}, ("Windows", None), id="details alone"),
        pytest.param({"UsageOperation": "RunInstances"}, (None, "RunInstances"), id="code alone"),
        pytest.param({"UsageOperation": ""}, (None, ""), id="empty code alone"),
        pytest.param({}, (None, None), id="an old recording"),
        pytest.param({"PlatformDetails": None, "UsageOperation": None}, (None, None), id="nulls"),
    ],
)
def test_a_code_that_was_never_recorded_is_not_an_empty_one(item, found):
    assert codes(item) == found


@pytest.mark.parametrize(
    "code",
    [
        {"ProductCodeId": "6cd5fxzrad0cu2j23p692xytz", "ProductCodeType": "marketplace"},
        {"ProductCode": "6cd5fxzrad0cu2j23p692xytz", "Type": "marketplace"},
    ],
    ids=["as boto3", "as the API reference"],
)
def test_product_codes_are_read_by_either_name(code):
    found = product_codes({"ProductCodes": [code]})

    assert found == [{"id": "6cd5fxzrad0cu2j23p692xytz", "type": "marketplace"}]


def test_tags_become_a_dictionary():
    item = {
        "Tags": [
            {"Key": "Name", "Value": "web"},
            {"Key": "empty"},
            {"Key": "a\x00", "Value": "\ud800"},
        ]
    }

    assert tags(item) == {"Name": "web", "empty": "", "a\ufffd": "\ufffd"}


@pytest.mark.parametrize(
    "tag", [{"Key": "a", "Value": ["b"]}, {"Key": 1, "Value": "b"}, "a=b"], ids=repr
)
def test_what_is_no_tag_is_refused(tag):
    with pytest.raises(Malformed):
        tags({"Tags": [tag]})
