from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.billing.trend import Step
from registry.billing.witness import (
    Billed,
    BilledCode,
    Bought,
    Carried,
    Coded,
    Span,
    contradicting,
    in_hours,
    in_use,
    is_billed_as,
    is_platform,
    month_of,
    recorded,
    told,
    use,
    watched,
)

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
OCTOBER = month_of(date(2026, 10, 1))
BEGIN, END = OCTOBER.begin, OCTOBER.end
RHEL, LINUX, WINDOWS, BYOL = (
    "RunInstances:0010",
    "RunInstances",
    "RunInstances:0002",
    "RunInstances:00g0",
)
ALWAYS = [Span(BEGIN - 99 * DAY, END + 99 * DAY)]


def bought(count=1, *, since=BEGIN - 99 * DAY):
    return Bought(count, since, END + 99 * DAY)


def compared(used, unused, steps, *, of=None, spans=ALWAYS, to=END):
    billed = Billed(
        None if used is None else Fraction(used), None if unused is None else Fraction(unused)
    )
    return use(billed, of or bought(), steps, spans, Span(BEGIN, to))


def step(days, share):
    return Step(BEGIN + days * DAY, None if share is None else Fraction(share))


def test_a_month_is_that_of_utc():
    assert Span(BEGIN, END) == Span(
        datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
    )
    assert month_of(date(2026, 12, 1)).end == datetime(2027, 1, 1, tzinfo=UTC)


def test_days_in_a_row_with_an_audit_are_one_stretch_up_to_the_last_audit():
    days = [(date(2026, 10, day), BEGIN + (day - 1) * DAY + 9 * HOUR) for day in (1, 2, 5)]

    assert watched(days) == [
        Span(BEGIN, BEGIN + DAY + 9 * HOUR),
        Span(BEGIN + 4 * DAY, BEGIN + 4 * DAY + 9 * HOUR),
    ]


@pytest.mark.parametrize(
    ("used", "unused", "steps", "verdict"),
    [
        pytest.param(744, 0, [step(-9, 1)], "agrees", id="used all the time"),
        pytest.param(240, 504, [step(-9, 1), step(10, 0)], "agrees", id="until the eleventh"),
        pytest.param(372, 372, [step(-9, "1/2")], "agrees", id="a half of it"),
        pytest.param(707, 37, [step(-9, 1)], "agrees", id="within the tolerance"),
        pytest.param(706, 38, [step(-9, 1)], "differs", id="beyond the tolerance"),
        pytest.param(38, 706, [step(-9, 0)], "differs", id="used and not seen"),
        pytest.param(744, 0, [step(1, 1)], "agrees", id="nearly all is recorded"),
        pytest.param(0, 744, [step(2, 1)], "short", id="less is recorded"),
        pytest.param(0, 744, [], "short", id="nothing is recorded"),
        pytest.param(0, 744, [step(-9, None)], "short", id="its state was not recorded"),
        pytest.param(None, 744, [step(-9, 1)], "unknown", id="the bill does not say"),
    ],
)
def test_how_the_hours_of_a_purchase_compare(used, unused, steps, verdict):
    assert compared(used, unused, steps).verdict == verdict


def test_what_was_not_recorded_may_have_been_used_or_not():
    begun_late = [step(1, 0)]

    assert compared(24 + 37, 683, begun_late).verdict == "agrees"
    assert compared(24 + 38, 682, begun_late).verdict == "differs"


def test_only_the_part_of_the_month_that_is_billed_and_bought_counts():
    found = compared(
        *(240, 0),
        [step(0, 1), step(20, 0)],
        of=bought(since=BEGIN + 10 * DAY),
        to=BEGIN + 20 * DAY,
    )

    assert (found.verdict, found.bought, found.adds_up) == ("agrees", 240, True)


def test_a_purchase_of_several_counts_each():
    found = compared(744, 744 * 2, [step(-9, "1/3")], of=bought(3))

    assert (found.verdict, found.bought) == ("agrees", 744 * 3)
    assert (found.recorded.used, found.recorded.idle) == (744, 744 * 2)


def test_days_without_an_audit_are_not_recorded():
    spans = watched((date(2026, 10, day), BEGIN + day * DAY - HOUR) for day in range(1, 21))

    found = compared(0, 744, [step(-9, 1)], spans=spans)

    assert found.verdict == "short"
    assert found.recorded.known == 20 * 24 - 1
    assert found.recorded.since == BEGIN


def test_records_begin_with_the_first_one():
    assert compared(744, 0, [step(5, 1)]).recorded.since == BEGIN + 5 * DAY


@pytest.mark.parametrize(
    ("used", "unused", "adds_up"),
    [
        pytest.param(700, 44, True, id="all hours"),
        pytest.param(700, 42, True, id="a clock hour at either end"),
        pytest.param(700, 41, False, id="too few"),
        pytest.param(744, 44, False, id="too many"),
        pytest.param(700, None, None, id="not stated"),
        pytest.param(None, 44, None, id="neither"),
    ],
)
def test_the_bill_has_all_hours_that_were_bought(used, unused, adds_up):
    found = compared(used, unused, [])

    assert found.adds_up is adds_up
    assert found.contradicts is (adds_up is False)


def test_while_a_month_goes_on_the_unused_hours_may_be_those_of_all_of_it():
    assert compared(240, 0, [], to=BEGIN + 10 * DAY).adds_up is True
    assert compared(240, 504, [], to=BEGIN + 10 * DAY).adds_up is True
    assert compared(240, 200, [], to=BEGIN + 10 * DAY).adds_up is False


def test_a_purchase_whose_term_is_not_known_is_not_compared():
    found = use(Billed(Fraction(1), Fraction(1)), Bought(1, BEGIN, None), [], ALWAYS, OCTOBER)

    assert (found.verdict, found.bought, found.adds_up) == ("unknown", None, None)


@given(
    st.lists(st.tuples(st.integers(-5, 40), st.sampled_from([None, 0, 1, "1/3"])), max_size=6),
    st.sets(st.integers(1, 31)),
    st.integers(1, 9),
)
def test_what_is_recorded_is_used_or_idle_and_never_more_than_was_bought(changes, days, count):
    steps = [step(*change) for change in sorted(changes, key=lambda change: change[0])]
    spans = watched((date(2026, 10, day), BEGIN + (day - 1) * DAY + HOUR) for day in days)

    found = recorded(count, steps, spans, OCTOBER)

    assert found.used + found.idle == count * found.known <= count * OCTOBER.hours
    assert found.used >= 0
    assert found.idle >= 0
    assert (found.since is None) == (found.known == 0)


@pytest.mark.parametrize(
    ("operation", "is_one"),
    [
        pytest.param(LINUX, True, id="plain"),
        pytest.param("RunInstances:1g10", True, id="never published"),
        pytest.param("RunInstances:0010:SV006", False, id="spot"),
        pytest.param("RunInstances:SV006", False, id="spot without a platform"),
        pytest.param("Hourly", False, id="no instance"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_which_operations_are_those_of_a_platform(operation, is_one):
    assert is_platform(operation) is is_one


@pytest.mark.parametrize(
    ("operation", "code", "is_so"),
    [
        pytest.param(RHEL, RHEL, True, id="the same"),
        pytest.param("RunInstances:0000", LINUX, True, id="two spellings"),
        pytest.param(LINUX, BYOL, True, id="Red Hat's own licence is billed as plain"),
        pytest.param(BYOL, BYOL, True, id="or as itself"),
        pytest.param(BYOL, LINUX, False, id="not the other way round"),
        pytest.param(LINUX, RHEL, False, id="lost"),
        pytest.param(LINUX, None, False, id="not recorded"),
    ],
)
def test_which_code_is_billed_as_which_operation(operation, code, is_so):
    assert is_billed_as(operation, [code]) is is_so


def billed(*operations, first=None):
    return [BilledCode(operation, Fraction(1), first) for operation in operations]


def changed(days, before, after):
    return Coded(BEGIN + days * DAY, before, after)


@pytest.mark.parametrize(
    ("operations", "carried", "found"),
    [
        pytest.param([RHEL], Carried(RHEL), [], id="agrees"),
        pytest.param([LINUX, RHEL], Carried(RHEL), [LINUX], id="one of two"),
        pytest.param([LINUX], Carried(None), None, id="not recorded"),
        pytest.param([LINUX], Carried(""), None, id="left empty"),
        pytest.param([LINUX], Carried("RunInstances:FFP-1"), None, id="cannot be read"),
        pytest.param(
            [LINUX, RHEL], Carried(RHEL, changes=[changed(9, LINUX, RHEL)]), [], id="converted"
        ),
        pytest.param(
            [WINDOWS], Carried(RHEL, changes=[changed(9, LINUX, RHEL)]), [WINDOWS], id="neither"
        ),
        pytest.param(
            [WINDOWS], Carried(RHEL, changes=[changed(9, None, RHEL)]), None, id="unknown before"
        ),
        pytest.param(
            [RHEL], Carried(RHEL, changes=[changed(31.5, LINUX, RHEL)]), [], id="noted late"
        ),
        pytest.param(
            [RHEL], Carried(RHEL, changes=[changed(33, LINUX, RHEL)]), [RHEL], id="changed later"
        ),
        pytest.param([LINUX], Carried(RHEL, BEGIN + 9 * DAY), None, id="has it since the tenth"),
        pytest.param([LINUX], Carried(RHEL, BEGIN), [LINUX], id="has it all the month"),
        pytest.param(
            [LINUX],
            Carried(RHEL, BEGIN + 9 * DAY, seen_at=BEGIN),
            [LINUX],
            id="another code would have been noted",
        ),
        pytest.param(
            [LINUX], Carried(RHEL, seen_at=BEGIN + 9 * DAY), None, id="first read on the tenth"
        ),
        pytest.param(
            [WINDOWS],
            Carried(
                RHEL,
                BEGIN + 20 * DAY,
                changes=[changed(20, LINUX, RHEL)],
                seen_at=BEGIN + 9 * DAY,
            ),
            None,
            id="first read on the tenth and changed then",
        ),
        pytest.param(
            [RHEL],
            Carried(RHEL, BEGIN + 30 * DAY, changes=[changed(33, LINUX, RHEL)], seen_at=BEGIN),
            [],
            id="converted in the month and noted days after",
        ),
    ],
)
def test_which_operations_contradict_the_records(operations, carried, found):
    others = contradicting(billed(*operations), carried, OCTOBER)

    assert found == (None if others is None else [one.operation for one in others])


def test_what_was_billed_only_after_it_had_its_code_contradicts_it():
    carried = Carried(RHEL, BEGIN + 9 * DAY)

    before = contradicting(billed(LINUX, first=BEGIN + 9 * DAY - 2 * HOUR), carried, OCTOBER)
    after = contradicting(billed(LINUX, first=BEGIN + 9 * DAY - HOUR / 2), carried, OCTOBER)

    assert before is None
    assert after


def test_hours_are_told_to_a_tenth():
    assert [in_hours(Fraction(each)) for each in ("744", "1/4", "1488.26")] == [
        "744 h",
        "0.2 h",
        "1,488.3 h",
    ]
    assert in_use(Fraction(1), None) == "1 h used"


def test_operations_are_told_the_longest_first_and_not_all_of_many():
    some = [BilledCode(f"RunInstances:000{n}", Fraction(n)) for n in range(1, 6)]

    assert told(some[:2]) == "RunInstances:0002 2 h, RunInstances:0001 1 h"
    assert told(some).endswith("RunInstances:0003 3 h, and 2 more")
