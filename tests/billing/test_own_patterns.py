import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from registry.billing.own_patterns import OwnPattern, fits, in_order, is_of_wildcards

RHEL = "RunInstances:0010"


def of_name(text, **fields):
    return OwnPattern("name", "", text, RHEL, **{"strength": "medium"} | fields)


def of_tag(key, text, **fields):
    return OwnPattern("tag", key, text, RHEL, **{"strength": "medium"} | fields)


@pytest.mark.parametrize(
    ("pattern", "text", "is_fit"),
    [
        pytest.param("golden-rhel", "golden-rhel", True, id="the same"),
        pytest.param("golden-rhel", "golden-rhel-9", False, id="more than the same"),
        pytest.param("golden-rhel", "my-golden-rhel", False, id="something before it"),
        pytest.param("golden-*", "golden-", True, id="a star stands for nothing"),
        pytest.param("golden-*", "golden-rhel-9", True, id="or for anything"),
        pytest.param("*-rhel-*", "a-rhel-9", True, id="in several places"),
        pytest.param("rhel?", "rhel9", True, id="a question mark stands for one"),
        pytest.param("rhel?", "rhel", False, id="not for none"),
        pytest.param("rhel?", "rhel10", False, id="not for two"),
        pytest.param("GOLDEN-*", "golden-Rhel", True, id="whatever the case"),
        pytest.param("golden*", "golden\nrhel", True, id="over lines"),
        pytest.param("golden", "golden\n", False, id="a line break is a character"),
        pytest.param("rhel.9", "rhel-9", False, id="a dot is a dot"),
        pytest.param("app[12]", "app[12]", True, id="a bracket is a bracket"),
        pytest.param("app[12]", "app1", False, id="and no set"),
        pytest.param("app[!1]*", "app2", False, id="nor the reverse of one"),
        pytest.param("(a|b)", "a", False, id="no regular expression"),
        pytest.param("(a|b)", "(A|B)", True, id="its letters alone"),
        pytest.param("\\*", "\\x", True, id="nothing is escaped"),
        pytest.param("", "", True, id="nothing in nothing"),
        pytest.param("", "x", False, id="nothing in something"),
    ],
)
def test_a_pattern_fits_the_whole_of_a_text(pattern, text, is_fit):
    assert fits(pattern, text) is is_fit


def plainly_fits(pattern, text):
    """The same by trying every way: for short texts only."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(plainly_fits(pattern[1:], text[n:]) for n in range(len(text) + 1))
    same = bool(text) and re.fullmatch(re.escape(pattern[0]), text[0], re.IGNORECASE)
    return bool(text) and (pattern[0] == "?" or bool(same)) and plainly_fits(pattern[1:], text[1:])


@given(st.text("ab[]!-*?.\n", max_size=7), st.text("abAB[]!-.\n", max_size=7))
@example("*a?*a", "aaaa")
def test_it_fits_as_if_every_way_had_been_tried(pattern, text):
    assert fits(pattern, text) == plainly_fits(pattern, text)


@given(st.text(max_size=256), st.text())
def test_no_pattern_and_no_text_is_an_error(pattern, text):
    one = of_tag("os", pattern)

    assert one.fits(text, {"os": text}) == of_name(pattern).fits(text, {})


def test_a_pattern_of_many_stars_takes_no_longer():
    assert not fits("*a" * 127 + "*b", "a" * 10_000)


@pytest.mark.parametrize(
    ("one", "is_meant"),
    [
        pytest.param(of_name("erp-*"), True, id="name"),
        pytest.param(of_name("rhel*"), False, id="another name"),
        pytest.param(of_tag("os", "rhel*"), True, id="tag"),
        pytest.param(of_tag("OS", "RHEL*"), True, id="tag in another case"),
        pytest.param(of_tag("os", "erp-*"), False, id="the name is no tag"),
        pytest.param(of_tag("team", "rhel*"), False, id="another tag"),
        pytest.param(of_tag("team", "*"), True, id="a tag with whatever value"),
        pytest.param(of_tag("owner", "*"), False, id="no such tag"),
        pytest.param(of_name("erp-*", account=7), True, id="for its account"),
        pytest.param(of_name("erp-*", account=8), False, id="for another account"),
        pytest.param(of_tag("os", "rhel*", account=8), False, id="a tag for another account"),
    ],
)
def test_an_image_is_meant_by_its_name_or_its_tag(one, is_meant):
    assert one.fits("erp-1", {"Os": "rhel9", "team": "erp"}, 7) is is_meant


def test_what_is_for_one_account_is_for_no_image_of_an_unknown_one():
    assert not of_name("*", account=7).fits("erp-1", {})


@pytest.mark.parametrize(
    ("pattern", "is_everything"),
    [("*", True), ("**?", True), ("", True), ("* *", True), ("*a*", False), ("-", False)],
)
def test_wildcards_alone_name_nothing(pattern, is_everything):
    assert is_of_wildcards(pattern) is is_everything


@pytest.mark.parametrize(
    ("one", "sentence"),
    [
        (of_name("erp-*"), "Its name fits the pattern erp-*."),
        (of_tag("os", "rhel*"), "Its tag os fits the pattern rhel*."),
        (
            of_name("erp-*", note="SAP runs on it."),
            "Its name fits the pattern erp-*. SAP runs on it.",
        ),
        (of_name("erp-*", strength="strong"), "Its name is under the policy for erp-*."),
    ],
)
def test_a_pattern_says_why_it_counts(one, sentence):
    assert one.sentence == sentence


def test_an_exception_for_one_account_comes_first():
    general, other, special = of_name("a*"), of_name("b*"), of_name("*c", account=7)

    assert in_order([general, other, special]) == [special, general, other]
