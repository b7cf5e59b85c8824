"""How far something was used over time, from the times at which that changed.

All is exact; only where a chart is drawn, a place is rounded to a tenth.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

# Of such a purchase nothing is used, and nothing is idle either.
NOT_ACTIVE, GONE, UNCLEAR = "not_active", "gone", "unclear"
_NOT_BOUGHT = ({NOT_ACTIVE}, {GONE}, {UNCLEAR})
_STEPS = (1, 2, 5)
_MOST_TICKS = 4  # above 0
_ALL = 100


@dataclass(frozen=True, slots=True)
class Step:
    """The used share from `at` on, until the next step; None: not known, or none was bought."""

    at: datetime
    share: Fraction | None


@dataclass(frozen=True, slots=True)
class Average:
    """A share, each moment weighing the same, and the time of which it is known."""

    share: Fraction
    known: timedelta


@dataclass(frozen=True, slots=True)
class Stretch:
    """An unbroken part of a step chart: its corners from left to right."""

    corners: Sequence[tuple[Fraction, Fraction]]


def share_of(used: str, idle: str, causes: Iterable[str]) -> Fraction | None:
    """Return which share of a purchase was used; None where it was not in force or is unclear."""
    units, rest = Fraction(used), Fraction(idle)
    if set(causes) in _NOT_BOUGHT or not units + rest:
        return None
    return units / (units + rest)


def average(steps: Sequence[Step], since: datetime, until: datetime) -> Average | None:
    """Return the average from `since` to `until`; None where nothing is known of that time.

    The steps are in the order of time; the last one holds until `until`.
    """
    total, known = Fraction(0), timedelta()
    for begin, end, share in _spans(steps, since, until):
        if share is not None:
            total += share * _microseconds(end - begin)
            known += end - begin
    return Average(total / _microseconds(known), known) if known else None


def stretches(steps: Sequence[Step], since: datetime, until: datetime) -> list[Stretch]:
    """Return a step chart from `since` to `until`, both axes from 0 to 1, with its gaps."""
    whole = _microseconds(until - since)
    found: list[Stretch] = []
    corners: list[tuple[Fraction, Fraction]] = []
    for begin, end, share in _spans(steps, since, until):
        if share is None:
            found += [Stretch(corners)] if corners else []
            corners = []
            continue
        corners.append((Fraction(_microseconds(begin - since), whole), share))
        corners.append((Fraction(_microseconds(end - since), whole), share))
    return [*found, Stretch(corners)] if corners else found


def ticks(most: Fraction | int) -> list[int]:
    """Return the marks of an axis from 0 to at least `most`, at most five of them."""
    size = 1
    while True:
        for step in _STEPS:
            if step * size * _MOST_TICKS >= most:
                number = max(1, -(-most // (step * size)))
                return [mark * step * size for mark in range(int(number) + 1)]
        size *= 10


def percent(share: Fraction) -> str:
    """Return a share in whole percent; neither none nor all is said of what lies between."""
    whole = round(share * 100)
    if share and not whole:
        return "under 1"
    return "over 99" if whole == _ALL and share < 1 else str(whole)


def place(value: Fraction | int) -> str:
    """Return a coordinate to a tenth, as SVG and CSS write it."""
    return f"{float(value):.1f}".removesuffix(".0")


def _spans(
    steps: Sequence[Step], since: datetime, until: datetime
) -> Iterable[tuple[datetime, datetime, Fraction | None]]:
    for position, step in enumerate(steps):
        is_last = position + 1 == len(steps)
        begin = max(step.at, since)
        end = until if is_last else min(steps[position + 1].at, until)
        if begin < end:
            yield begin, end, step.share


def _microseconds(span: timedelta) -> int:
    return span // timedelta(microseconds=1)
