"""What an audit leaves behind, so that later ones can be compared with it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from registry.audit.coverage import Applied
from registry.audit.fleet import PAGE, Fleet
from registry.audit.rows import alone_on
from registry.billing.coverage import PurchaseUse
from registry.billing.price import hourly
from registry.billing.trend import GONE, NOT_ACTIVE, UNCLEAR
from registry.models import (
    Account,
    DailyTotals,
    Finding,
    Image,
    ReservedInstance,
    Scope,
    Utilization,
)

_VALUES = ("used", "idle", "hourly_cost", "idle_hourly_cost", "causes")
_TOTALS = (
    *("at", "purchases", "hourly_cost", "idle_hourly_cost", "unpriced"),
    *("verdicts", "severities", "running", "covered"),
)
_NOTHING = {"used": "0", "idle": "0", "hourly_cost": None, "idle_hourly_cost": None}


def record(fleet: Fleet, applied: Applied, *, at: datetime) -> None:
    """Keep what an audit has found at `at`: each purchase that changed, each account of that day.

    What a later audit has kept already stays.
    """
    _keep_purchases(fleet, applied, at=at)
    _keep_totals(fleet, applied, at=at)


def _keep_purchases(fleet: Fleet, applied: Applied, *, at: datetime) -> None:
    by_key = {row.pk: row for row in fleet.rows.values()}
    wanted = {pk: _use(by_key[pk], use) for pk, use in applied.uses.items()}
    with alone_on(Utilization):
        last = {row.reserved_instance_id: row for row in _latest()}
        # Only of what was kept before is it kept that it is gone.
        gone = [pk for pk, row in last.items() if row.is_gone and pk not in wanted]
        wanted |= dict.fromkeys(gone, _NOTHING | {"causes": [GONE]})
        Utilization.objects.bulk_create(
            [
                Utilization(reserved_instance_id=pk, at=at, **values)
                for pk, values in wanted.items()
                if pk not in last or (last[pk].at <= at and _differs(last[pk], values))
            ],
            batch_size=PAGE,
            update_conflicts=True,
            unique_fields=["reserved_instance", "at"],
            update_fields=_VALUES,
        )


def _latest() -> QuerySet[Any]:
    """Return the last row of each purchase, and whether that is gone."""
    of_it = Utilization.objects.filter(reserved_instance=OuterRef("pk")).order_by("-at")
    last = ReservedInstance.objects.values(last=Subquery(of_it.values("pk")[:1]))
    is_gone = Q(reserved_instance__gone_at__isnull=False)
    return Utilization.objects.filter(pk__in=last).annotate(is_gone=is_gone)


def _use(row: ReservedInstance, use: PurchaseUse) -> dict[str, Any]:
    return {
        "used": str(use.used),
        "idle": str(use.idle),
        "hourly_cost": hourly(use.hourly_cost),
        "idle_hourly_cost": hourly(use.idle_hourly_cost),
        "causes": [reason.code for reason in use.reasons] if row.state else [UNCLEAR],
    }


def _differs(row: Utilization, values: Mapping[str, Any]) -> bool:
    return any(getattr(row, name) != values[name] for name in _VALUES)


def _keep_totals(fleet: Fleet, applied: Applied, *, at: datetime) -> None:
    day = at.astimezone(UTC).date()
    totals = _totals(fleet, applied)
    with alone_on(DailyTotals):
        rows = DailyTotals.objects.filter(day=day, at__gt=at)
        later = set(rows.values_list("account", flat=True))
        DailyTotals.objects.bulk_create(
            [
                DailyTotals(account_id=account, day=day, at=at, **found.values())
                for account, found in totals.items()
                if account not in later
            ],
            batch_size=PAGE,
            update_conflicts=True,
            unique_fields=["account", "day"],
            update_fields=_TOTALS,
        )


@dataclass(slots=True)
class _Totals:
    """What there is in one account; of costs, those that are known."""

    purchases: int = 0
    unpriced: int = 0
    costs: list[Decimal] = field(default_factory=list)
    idle_costs: list[Decimal] = field(default_factory=list)
    verdicts: dict[str, int] = field(default_factory=dict)
    severities: dict[str, int] = field(default_factory=dict)
    running: int = 0
    covered: Fraction = Fraction(0)

    def buy(self, use: PurchaseUse) -> None:
        self.purchases += 1
        if use.hourly_cost is not None:
            self.costs.append(use.hourly_cost)
        if not use.idle:
            self.idle_costs.append(Decimal(0))  # whatever the price is
        elif use.idle_hourly_cost is None:
            self.unpriced += 1
        else:
            self.idle_costs.append(use.idle_hourly_cost)

    def values(self) -> dict[str, Any]:
        return {
            "purchases": self.purchases,
            "hourly_cost": self._sum(self.costs),
            "idle_hourly_cost": self._sum(self.idle_costs),
            "unpriced": self.unpriced,
            "verdicts": self.verdicts,
            "severities": self.severities,
            "running": self.running,
            "covered": str(self.covered),
        }

    def _sum(self, costs: Iterable[Decimal]) -> Decimal | None:
        """Add up what is known; nothing known of what there is has no sum."""
        known = [Fraction(cost) for cost in costs]
        return hourly(sum(known, Fraction(0))) if known or not self.purchases else None


def _totals(fleet: Fleet, applied: Applied) -> dict[int, _Totals]:
    """Return the totals of every account that was ever read, or of which something is there."""
    found: dict[int, _Totals] = defaultdict(_Totals)
    numbers: dict[str, int] = {}
    read = Exists(Scope.objects.filter(account=OuterRef("pk"), synced_at__isnull=False))
    for number, pk, is_read in Account.objects.values_list("number", "pk", read):
        numbers[number] = pk
        if is_read:
            found[pk] = _Totals()
    for account, verdict, number in _verdicts():
        found[account].verdicts[verdict] = number
    for account, severity, number in _severities():
        found[account].severities[severity] = number
    _count_purchases(found, fleet, applied)
    for aws_id, share in applied.covered.items():
        totals = found[numbers[fleet.situation.machines[aws_id].account]]
        totals.running += 1
        totals.covered += share
    return found


def _count_purchases(found: dict[int, _Totals], fleet: Fleet, applied: Applied) -> None:
    """Count those that are known to be active."""
    for row in fleet.rows.values():
        use = applied.uses.get(row.pk)
        if use and row.state and [reason.code for reason in use.reasons] != [NOT_ACTIVE]:
            found[row.account_id].buy(use)


def _verdicts() -> Iterable[tuple[int, str, int]]:
    rows = Image.objects.present().order_by().values_list("account", "verdict")
    return rows.annotate(number=Count("pk"))


def _severities() -> Iterable[tuple[int, str, int]]:
    whose = Coalesce("image__account", "instance__account", "reserved_instance__account")
    rows = Finding.objects.actionable().order_by().values_list(whose, "severity")
    return rows.annotate(number=Count("pk"))
