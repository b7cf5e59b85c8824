"""The bill as a witness: what it says of a month against what was recorded of it.

A record is of moments, a bill of clock hours; what is unknown on either side contradicts nothing.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from registry.billing.codes import RHEL_BYOL, parts
from registry.billing.trend import Step, average

# An audit sees one moment, the bill whole hours: what starts and stops between two audits is
# billed and never seen.
TOLERANCE = Fraction(1, 20)  # of the hours bought
NEARLY_ALL = 1 - TOLERANCE  # of the time that is billed: of less, the hours of a month say nothing
# A term may begin and end within a clock hour, and the bill counts both hours.
ROUNDING = 2  # hours of each Reserved Instance
# A change is noted when it is next read, which may be after the month.
SEEN_LATE = timedelta(days=1)
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_SPOT = ":SV"


class Verdict(StrEnum):
    """What the comparison comes to. SHORT: our records cover too little of the time."""

    AGREES = "agrees"
    DIFFERS = "differs"
    SHORT = "short"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Span:
    """From `begin` to `end`; nothing where it ends before it begins."""

    begin: datetime
    end: datetime

    def __and__(self, other: "Span") -> "Span":
        return Span(max(self.begin, other.begin), min(self.end, other.end))

    @property
    def hours(self) -> Fraction:
        return max(_hours(self.end - self.begin), Fraction(0))


@dataclass(frozen=True, slots=True)
class Bought:
    """A purchase as the inventory knows it; of one without a begin or an end, no hours are."""

    count: int
    start: datetime | None
    end: datetime | None

    def within(self, span: Span) -> Span | None:
        """Return the part of `span` in which it was in force; None: not known."""
        if self.start is None or self.end is None:
            return None
        return Span(self.start, self.end) & span


@dataclass(frozen=True, slots=True)
class Billed:
    """The hours of a purchase on the bill; None: it doesn't say."""

    used: Fraction | None
    unused: Fraction | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """How far a purchase was used by our records: instance-hours, and the hours they are of."""

    used: Fraction
    idle: Fraction
    known: Fraction
    since: datetime | None


NOTHING = Recorded(Fraction(0), Fraction(0), Fraction(0), None)


@dataclass(frozen=True, slots=True)
class Use:
    """A purchase on the bill and in our records; `adds_up` None: it can't be checked."""

    verdict: Verdict
    bought: Fraction | None
    recorded: Recorded
    adds_up: bool | None

    @property
    def contradicts(self) -> bool:
        return self.verdict == Verdict.DIFFERS or self.adds_up is False


def month_of(first: date) -> Span:
    """Return the month that begins on `first`, in UTC as it is billed."""
    following = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
    return Span(_midnight(first), _midnight(following))


def watched(days: Iterable[tuple[date, datetime]]) -> list[Span]:
    """Return when audits were made, from the days that have one and the last one of each.

    A day counts as a whole where the next one has an audit, too; otherwise up to its last audit.
    """
    last = dict(days)
    spans: list[Span] = []
    for day, at in sorted(last.items()):
        begin, end = _midnight(day), _midnight(day + _DAY) if day + _DAY in last else at
        if spans and spans[-1].end == begin:
            begin = spans.pop().begin
        spans.append(Span(begin, end))
    return spans


def recorded(count: int, steps: Sequence[Step], spans: Iterable[Span], within: Span) -> Recorded:
    """Return what the records say of `within`, of the time of `spans` in which there was one."""
    used = known = Fraction(0)
    since: datetime | None = None
    for span in (each & within for each in spans):
        mean = average(steps, span.begin, span.end) if span.hours else None
        if mean is not None:
            since = since or max(span.begin, steps[0].at)
            known += _hours(mean.known)
            used += mean.share * _hours(mean.known) * count
    return Recorded(used, count * known - used, known, since)


def use(
    billed: Billed,
    bought: Bought,
    steps: Sequence[Step],
    spans: Iterable[Span],
    billed_to: Span,
    *,
    late: int = 0,
) -> Use:
    """Compare the hours of a purchase, of a month as far as it is billed.

    The used hours are compared: while a month goes on, a report may state the unused ones as those
    of all of it. Where it is not known how far it is billed, nothing is. Up to `late` hours of each
    Reserved Instance may come with the next report.
    """
    span = bought.within(billed_to)
    month = bought.within(month_of(billed_to.begin.date()))
    if span is None or month is None or not billed_to.hours:
        return Use(Verdict.UNKNOWN, None, NOTHING, None)
    hours = bought.count * span.hours
    found = recorded(bought.count, steps, spans, span)
    return Use(
        verdict=_verdict(billed, bought.count, found, span.hours, late=late),
        bought=hours,
        recorded=found,
        adds_up=_adds_up(billed, {hours, bought.count * month.hours}, bought.count, late=late),
    )


def _verdict(billed: Billed, count: int, found: Recorded, hours: Fraction, *, late: int) -> Verdict:
    """Compare what is recorded, and of the rest that any part of it may have been used."""
    if billed.used is None or not hours:
        return Verdict.UNKNOWN
    if found.known < NEARLY_ALL * hours:
        return Verdict.SHORT
    leeway = TOLERANCE * count * hours
    most = found.used + count * (hours - found.known)
    agrees = found.used - count * late - leeway <= billed.used <= most + leeway
    return Verdict.AGREES if agrees else Verdict.DIFFERS


def _adds_up(billed: Billed, bought: Iterable[Fraction], count: int, *, late: int) -> bool | None:
    """Say whether the bill has all hours bought: those until now or those of the month."""
    if billed.used is None or billed.unused is None:
        return None
    whole, leeway = billed.used + billed.unused, count * ROUNDING
    return any(-leeway <= hours - whole <= leeway + count * late for hours in bought)


@dataclass(frozen=True, slots=True)
class BilledCode:
    """An operation that an instance was billed with in a month."""

    operation: str
    hours: Fraction
    first_at: datetime | None = None
    last_at: datetime | None = None

    def may_be_before(self, known: datetime) -> bool:
        """Say whether it may have been billed before `known` alone.

        A report of days tells of no hour: of a day, what was billed on it may be before.
        """
        if self.first_at is None or self.first_at < known - _DAY:
            return True
        is_later = self.last_at is not None and self.last_at > known + _DAY
        return self.first_at < known - _HOUR and not is_later


@dataclass(frozen=True, slots=True)
class Coded:
    """A change of a code, and when it was noted; a code that is not known is None."""

    at: datetime
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Carried:
    """The code of an instance: the present one, since when it has it, and its changes.

    Of the changes, those since the month began, the first one first. None is missed from `seen_at`
    on, when the instance was first read.
    """

    code: str | None
    since: datetime | None = None
    changes: Sequence[Coded] = ()
    seen_at: datetime | None = None

    def within(self, span: Span) -> frozenset[str | None]:
        """Return the codes that it had in some part of `span`."""
        if not self.changes:
            return frozenset({self.code})
        codes = {one.after for one in self.changes if one.at <= span.end + SEEN_LATE}
        if self.since and self.since <= span.end:
            codes.add(self.code)  # however late that was noted
        return frozenset({self.changes[0].before, *codes})

    def may_have_had_another(self, one: BilledCode, span: Span) -> bool:
        """Say whether it was billed in `span` before the time of which its code is known."""
        if self.seen_at and self.seen_at <= span.begin:
            return False
        known = self.seen_at if self.changes else self.since or self.seen_at
        return known is not None and known > span.begin and one.may_be_before(known)


def is_platform(operation: str) -> bool:
    """Say whether an operation is that of an instance which is not a Spot instance."""
    return _SPOT not in operation and parts(operation) is not None


def contradicting(
    billed: Iterable[BilledCode], carried: Carried, span: Span
) -> list[BilledCode] | None:
    """Return the operations that the instance did not have by our records; None: not known."""
    codes = carried.within(span)
    others = [one for one in billed if not is_billed_as(one.operation, codes)]
    is_unknown = any(parts(code) is None for code in codes)
    if others and (is_unknown or any(carried.may_have_had_another(one, span) for one in others)):
        return None
    return others


def is_billed_as(operation: str, codes: Collection[str | None]) -> bool:
    """Say whether a code among `codes` is billed as the operation.

    Red Hat's own licence is billed as plain RunInstances (AWS, billing information fields).
    """
    billed = parts(operation)
    licences = {parts(code) for code in codes}
    if billed == frozenset() and frozenset({RHEL_BYOL}) in licences:
        return True
    return billed in licences


def in_hours(hours: Fraction | Decimal) -> str:
    """Return hours as they are told: "744 h", to a tenth."""
    return f"{float(hours):,.1f}".removesuffix(".0") + " h"


def in_use(used: Fraction | None, unused: Fraction | None) -> str:
    """Return the hours of a purchase as they are told, as far as they are known."""
    parted = ((used, "used"), (unused, "unused"))
    return ", ".join(f"{in_hours(hours)} {word}" for hours, word in parted if hours is not None)


def told(billed: Iterable[BilledCode], *, most: int = 3) -> str:
    """Return operations with their hours, the longest first."""
    ordered = sorted(billed, key=lambda one: (-one.hours, one.operation))
    words = [f"{one.operation} {in_hours(one.hours)}" for one in ordered[:most]]
    return ", ".join([*words, *([f"and {len(ordered) - most} more"] if ordered[most:] else [])])


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _hours(span: timedelta) -> Fraction:
    return Fraction(span // timedelta(microseconds=1), _HOUR // timedelta(microseconds=1))
