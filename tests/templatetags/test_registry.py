from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from django.utils import timezone

from registry.models import ImageVerdict, RunState
from registry.templatetags import registry as tags


@pytest.mark.parametrize(
    ("code", "html"),
    [
        ("RunInstances:0010", '<span class="stamp">RunInstances:<b>0010</b></span>'),
        ("RunInstances", '<span class="stamp"><b>RunInstances</b></span>'),
        ("", '<span class="stamp stamp--none">empty</span>'),
        (None, '<span class="stamp stamp--none">not recorded</span>'),
        ("<b>", '<span class="stamp"><b>&lt;b&gt;</b></span>'),
    ],
)
def test_a_stamp(code, html):
    assert tags.stamp(code) == html


@pytest.mark.parametrize("key", ImageVerdict.values)
def test_every_verdict_has_its_word(key):
    assert ImageVerdict(key).label in tags.verdict(key)


def test_a_lost_code_that_aws_left_empty_has_a_word_of_its_own():
    assert "Platform empty" in tags.verdict("lost", "")
    assert "Code lost" in tags.verdict("lost", "RunInstances")


@pytest.mark.parametrize("state", RunState.values)
def test_every_state_of_a_job_has_its_tone(state):
    assert state in tags.RUN_STATES


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "Unknown"),
        (Decimal(0), "$0"),
        (Decimal("1234.5"), "$1,234"),
        (Decimal("0.4"), "$0"),
        (Decimal("-36.5"), "\u2212$36"),
        (Decimal("-0.3"), "$0"),
    ],
)
def test_dollars(amount, text):
    assert tags.dollars(amount) == text


def test_a_month_has_730_hours():
    assert tags.monthly(Decimal("0.15")) == "$110"
    assert tags.monthly(None) == "Unknown"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (None, "Unknown"),
        (Decimal("0.0001"), "$0"),
        (Decimal(2), "+$1,460"),
        (Decimal("-0.05"), "\u2212$36"),
    ],
)
def test_a_change_of_a_month_has_its_sign(change, text):
    assert tags.monthly_change(change) == text


def test_a_share_is_told_in_percent():
    assert tags.percent(Fraction(1, 3)) == "33\u00a0%"
    assert tags.percent(None) == "None"


@pytest.mark.parametrize(
    ("past", "text"),
    [
        (timedelta(seconds=59), "now"),
        (timedelta(minutes=3, seconds=10), "3 min"),
        (timedelta(minutes=60, seconds=1), "1 h"),
        (timedelta(hours=47), "47 h"),
        (timedelta(days=26, hours=1), "26 d"),
        (timedelta(minutes=-5), "now"),
    ],
)
def test_an_age(past, text):
    assert tags.age(timezone.now() - past) == text


@pytest.mark.parametrize(
    ("past", "text"), [(timedelta(minutes=3), "3 min ago"), (timedelta(0), "just now")]
)
def test_an_age_in_a_sentence(past, text):
    assert tags.ago(timezone.now() - past) == text
    assert tags.ago(None) == "never"


def test_what_never_was_has_no_age():
    assert tags.age(None) == "Never"


@pytest.mark.parametrize(
    ("used", "count", "text"),
    [
        (None, 3, "Unknown"),
        (Fraction(1), 0, "Unknown"),
        (Fraction(1, 2), 2, "25\u00a0%"),
        (Fraction(2), 3, "67\u00a0%"),
        (Fraction(999), 1000, "over 99\u00a0%"),
        (Fraction(3), 3, "100\u00a0%"),
    ],
)
def test_a_utilization(used, count, text):
    assert text in tags.util(used, count)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Decimal("1038.0400000000"), "1,038 h"),
        (Fraction(1, 2), "0.5 h"),
        (Decimal(0), "0 h"),
        (None, "Unknown"),
    ],
)
def test_hours_of_a_bill(number, text):
    assert tags.billed_hours(number) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "Unknown"), (Fraction(3, 2), "1.5"), (Fraction(2), "2")]
)
def test_units(value, text):
    assert tags.units(value) == text


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(minutes=5), "5 minutes"),
        (timedelta(minutes=90), "90 minutes"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(days=2), "2 days"),
        (timedelta(seconds=30), "30 seconds"),
    ],
)
def test_a_span(length, text):
    assert tags.span(length) == text


@pytest.mark.parametrize("mark", "\u200e\u200f\u061c\u202a\u202b\u202d\u202e\u2066\u2067\u2068")
def test_a_name_can_not_turn_the_sentence_around_it(mark):
    said = f"Its name is {mark}rhel9\u202c\u2069."

    assert tags.straight(said) == "Its name is rhel9."


def test_letters_of_any_script_stay_in_a_sentence():
    said = "Its name is \u05e9\u05e8\u05ea \U0001f469\u200d\U0001f4bb."

    assert tags.straight(said) == said
