"""What a bill comes to."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum

from registry.billing.codes import canonical
from registry.models import (
    Bill,
    BilledPurchase,
    BilledUsage,
    Disagreement,
    Instance,
    UsageKind,
)


@dataclass(slots=True)
class Totals:
    """Hours of instances by what paid for them, and hours and cost of purchases.

    `unstated` are the purchases of which the bill does not say how far they were used, `unpriced`
    those of which it does not say what that cost: they are in no sum.
    """

    hours: dict[str, Decimal] = field(default_factory=dict)
    purchases: int = 0
    unstated: int = 0
    unpriced: int = 0
    used: Decimal | None = None
    unused: Decimal | None = None
    costs: list[tuple[Decimal, str]] = field(default_factory=list)
    disagreements: int = 0

    @property
    def whole(self) -> Decimal:
        return sum(self.hours.values(), Decimal(0))

    @property
    def reserved(self) -> Decimal:
        return self._of(UsageKind.RESERVED)

    @property
    def on_demand(self) -> Decimal:
        return self._of(UsageKind.ON_DEMAND)

    @property
    def savings_plan(self) -> Decimal:
        return self._of(UsageKind.SAVINGS_PLAN)

    @property
    def spot(self) -> Decimal:
        return self._of(UsageKind.SPOT)

    def _of(self, kind: UsageKind) -> Decimal:
        return self.hours.get(kind, Decimal(0))


@dataclass(slots=True)
class OperationHours:
    """The hours that were billed with an operation, by what paid for them."""

    operation: str
    hours: dict[str, Decimal] = field(default_factory=dict)

    @property
    def whole(self) -> Decimal:
        return sum(self.hours.values(), Decimal(0))

    @property
    def cells(self) -> list[Decimal]:
        return [self.hours.get(kind, Decimal(0)) for kind in UsageKind.values]


def totals_of(
    bills: Iterable[Bill],
    usages: QuerySet[BilledUsage],
    purchases: QuerySet[BilledPurchase],
    disagreements: QuerySet[Disagreement],
) -> dict[int, Totals]:
    """Return by bill what these rows come to."""
    found = {bill.pk: Totals() for bill in bills}
    here = Q(bill__in=list(found))
    for key, kind, hours in (
        usages.filter(here).order_by().values_list("bill", "kind").annotate(Sum("hours"))
    ):
        found[key].hours[kind] = hours
    rows = purchases.filter(here).order_by()
    for row in rows.values("bill").annotate(
        number=Count("pk"),
        unstated=Count("pk", filter=Q(used_hours=None) | Q(unused_hours=None)),
        unpriced=Count("pk", filter=Q(unused_cost=None)),
        used=Sum("used_hours"),
        unused=Sum("unused_hours"),
    ):
        totals = found[row["bill"]]
        totals.purchases, totals.unstated = row["number"], row["unstated"]
        totals.unpriced = row["unpriced"]
        totals.used, totals.unused = row["used"], row["unused"]
    costs = rows.exclude(unused_cost=None).values_list("bill", "currency")
    for key, currency, cost in costs.annotate(Sum("unused_cost")).order_by("currency"):
        found[key].costs.append((cost, currency))
    numbers = disagreements.filter(here).order_by().values_list("bill").annotate(Count("pk"))
    for key, number in numbers:
        found[key].disagreements = number
    return found


def operations_of(usages: QuerySet[BilledUsage]) -> list[OperationHours]:
    """Return what was billed with each operation, the most hours first.

    Spot hours, which have an operation for each zone, count with their platform.
    """
    found: dict[str, OperationHours] = {}
    rows = usages.order_by().values_list("operation", "kind").annotate(Sum("hours"))
    for named, kind, hours in rows:
        operation = canonical(named) or named
        summed = found.setdefault(operation, OperationHours(operation)).hours
        summed[kind] = summed.get(kind, Decimal(0)) + hours
    return sorted(found.values(), key=lambda one: (-one.whole, one.operation))


def unknown_instances(usages: QuerySet[BilledUsage]) -> int:
    """Return how many instances on a bill the inventory never had."""
    known = Instance.objects.filter(
        aws_id=OuterRef("resource_id"), account__number=OuterRef("account")
    )
    named = usages.exclude(resource_id="").exclude(Exists(known))
    return named.order_by().values("account", "resource_id").distinct().count()
