"""Purchases on a bill, each with what audits have recorded of it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db.models import F, QuerySet

from registry.access import Person, visible
from registry.billing.trend import Step, share_of
from registry.billing.witness import Billed, Bought, Span, Use, month_of, use, watched
from registry.models import (
    Bill,
    BilledPurchase,
    DailyTotals,
    ReservedInstance,
    Scope,
    Utilization,
)

NOT_KNOWN = "not_known"
# What was bought or used on the last day that is billed may come with the next report: a report of
# days states one as billed to its end as soon as some of its hours are.
SETTLED = 24  # hours
_RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class BilledUse:
    """A purchase on the bill, with its row in the inventory and how both compare; None: no row."""

    billed: BilledPurchase
    row: ReservedInstance | None
    use: Use | None

    def values(self) -> dict[str, Any]:
        """Return it as numbers; None where something is not known."""
        billed, use = self.billed, self.use
        recorded = use.recorded if use and use.recorded.known else None
        return {
            "aws_id": billed.aws_id,
            "account": billed.account,
            "region": billed.region,
            "used": _number(billed.used_hours),
            "unused": _number(billed.unused_hours),
            "unused_cost": billed.unused_cost,
            "currency": billed.currency,
            "bought": _number(use.bought) if use else None,
            "recorded_used": _number(recorded.used) if recorded else None,
            "recorded_unused": _number(recorded.idle) if recorded else None,
            "recorded_since": recorded.since if recorded else None,
            "verdict": str(use.verdict) if use else NOT_KNOWN,
            "adds_up": use.adds_up if use else None,
        }


def billed_span(bill: Bill, *, at: datetime) -> Span:
    """Return the part of the month that is billed; nothing where the bill does not say."""
    month = month_of(bill.month)
    return Span(month.begin, min(bill.through or month.begin, month.end, at))


def uses(bill: Bill, rows: Sequence[BilledPurchase], *, at: datetime) -> list[BilledUse]:
    """Compare purchases of the bill with what audits have recorded until `at`."""
    known = _known(rows)
    span = billed_span(bill, at=at)
    keys = {row.pk for row in known.values()}
    steps = _steps(keys, span)
    spans = _watched({row.account_id for row in known.values()}, bill.month, at=at)
    late, unread = _late(bill), not_read_since(span.begin)
    found = []
    for billed in rows:
        row = known.get(billed.aws_id)
        compared = None
        if row is not None:
            hours = Billed(exact(billed.used_hours), exact(billed.unused_hours))
            is_read = (row.account_id, row.region) not in unread
            audited = spans.get(row.account_id, []) if is_read else []
            compared = use(hours, bought(row), steps.get(row.pk, []), audited, span, late=late)
        found.append(BilledUse(billed, row, compared))
    return found


def uses_for(
    user: Person, bill: Bill, rows: Sequence[BilledPurchase], *, at: datetime
) -> list[BilledUse]:
    """Compare purchases; one of an account that `user` may not read is not known to them."""
    found = uses(bill, rows, at=at)
    keys = [one.row.pk for one in found if one.row]
    mine = visible(ReservedInstance.objects.filter(pk__in=keys), user)
    readable = set(mine.values_list("pk", flat=True))
    return [
        one if one.row is None or one.row.pk in readable else BilledUse(one.billed, None, None)
        for one in found
    ]


def not_read_since(begin: datetime) -> set[tuple[int, str]]:
    """Return the accounts and regions last read before: what became of them since is not known."""
    stale = Scope.objects.filter(synced_at__lt=begin)
    return set(stale.values_list("account_id", "region"))


def find_bill(bills: QuerySet[Bill], payer: str, month: str) -> Bill | None:
    """Return the one of a payer and a month, such as "2026-10"; None where there is none."""
    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError:
        return None
    return bills.filter(payer=payer, month=first).first()


def _known(rows: Sequence[BilledPurchase]) -> dict[str, ReservedInstance]:
    """Return by id what the inventory has of them; the present one, should there be several."""
    owners = {row.aws_id: row.account for row in rows}
    found = ReservedInstance.objects.filter(aws_id__in=list(owners)).select_related("account")
    found = found.defer("tags", "reasons", "modified_from")
    present_last = F("gone_at").asc(nulls_last=True)
    return {
        row.aws_id: row
        for row in found.order_by(present_last, "-pk")
        if owners[row.aws_id] in {"", row.account.number}
    }


def bought(row: ReservedInstance) -> Bought:
    """Return what was bought.

    Its end is not known where it was over, or not shown any more, before that; nor is anything to
    be reckoned with where AWS did not say how many there are.
    """
    over_at = row.last_seen_at if row.state == _RETIRED else row.gone_at
    is_cut = row.end_at is not None and over_at is not None and over_at < row.end_at
    is_known = row.instance_count and not is_cut
    return Bought(row.instance_count, row.start_at, row.end_at if is_known else None)


def _late(bill: Bill) -> int:
    """Return how many hours of the last day may still come: none where the month was settled."""
    settled_at = month_of(bill.month).end + timedelta(hours=SETTLED)
    return SETTLED if bill.read_at < settled_at else 0


def _steps(keys: Iterable[int], span: Span) -> dict[int, list[Step]]:
    """Return by purchase what was recorded of a span, and what held when it began."""
    rows = Utilization.objects.filter(reserved_instance__in=list(keys), at__lt=span.end)
    before = rows.filter(at__lt=span.begin).order_by("reserved_instance", "-at")
    fields = ("reserved_instance_id", "at", "used", "idle", "causes")
    found: dict[int, list[Step]] = defaultdict(list)
    shares: dict[tuple[str, ...], Fraction | None] = {}  # few differ
    for some in (
        before.distinct("reserved_instance"),
        rows.filter(at__gte=span.begin).order_by("at"),
    ):
        for key, at, used, idle, causes in some.values_list(*fields):
            told = (used, idle, *causes)
            if told not in shares:
                shares[told] = share_of(used, idle, causes)
            found[key].append(Step(at, shares[told]))
    return found


def _watched(accounts: Iterable[int], month: date, *, at: datetime) -> dict[int, list[Span]]:
    """Return by account when audits were made in the month."""
    end = month_of(month).end.date()
    rows = DailyTotals.objects.filter(
        account__in=list(accounts), day__gte=month, day__lte=end, at__lte=at
    )
    days: dict[int, list[tuple[date, datetime]]] = defaultdict(list)
    for account, day, last in rows.values_list("account_id", "day", "at"):
        days[account].append((day, last))
    return {account: watched(some) for account, some in days.items()}


def exact(hours: Decimal | None) -> Fraction | None:
    return None if hours is None else Fraction(hours)


def _number(hours: Fraction | Decimal | None) -> float | None:
    return None if hours is None else round(float(hours), 4)
