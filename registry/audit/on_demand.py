"""Findings, purchases and instances at list price: rows → values."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from django.db.models import Count, Q, QuerySet

from registry.billing.codes import TABLE, recorded_code
from registry.billing.fleet import HOST
from registry.billing.on_demand import (
    Comparison,
    Kind,
    Line,
    Price,
    Worth,
    codes_paid_by,
    kind_of,
    kind_of_purchase,
    price_of,
)
from registry.billing.price import hourly
from registry.models import MISMATCHES, Cover, Finding, Instance, ListPrice, ReservedInstance
from registry.sync.prices import OF_DIFFERENCE

_ALIKE = ("region", "instance_type", "tenancy", "lifecycle", "usage_operation", "platform_details")


def are_read() -> bool:
    """Say whether list prices were ever read; where not, nothing is said of them."""
    return ListPrice.objects.exists()


def prices_of(kinds: Iterable[Kind | None]) -> dict[Kind, Price]:
    """Return what was read of some kinds; those that were never read are left out."""
    wanted = {kind for kind in kinds if kind}
    if not wanted:
        return {}
    names = [f"{name}__in" for name in Kind._fields]
    where = dict(zip(names, map(set, zip(*wanted, strict=True)), strict=True))
    found = {
        Kind(row.region, row.instance_type, row.usage_operation, row.tenancy): Price(
            row.hourly, row.currency, row.read_at, row.problem
        )
        for row in ListPrice.objects.filter(**where)
    }
    return {kind: price for kind, price in found.items() if kind in wanted}


def compare_finding(found: Finding, seen: QuerySet[Instance]) -> Comparison | None:
    """Compare what the running instances of an image cost with what they should.

    None where none runs, where the code of an image is not what is wrong, or where list prices were
    never read. `seen` are the instances that a person may see.
    """
    image = found.image if found.rule in OF_DIFFERENCE else None
    if image is None or image.verdict not in MISMATCHES or not are_read():
        return None
    launched = seen.filter(image_id=image.aws_id, state="running", gone_at=None)
    counted: dict[tuple[str, str, str, str | None], int] = defaultdict(int)
    others = 0
    groups = launched.order_by().values_list(*_ALIKE).annotate(Count("pk"))
    for region, instance_type, tenancy, lifecycle, code, details, number in groups:
        if lifecycle or tenancy == HOST or instance_type.startswith("mac"):
            others += number
        else:
            counted[region, instance_type, tenancy, recorded_code(code, details)] += number
    if not counted and not others:
        return None
    return Comparison(_lines(counted, image.expected_usage_operation or ""), others)


def _lines(
    counted: Mapping[tuple[str, str, str, str | None], int], expected: str
) -> tuple[Line, ...]:
    def of(alike: tuple[str, str, str, str | None]) -> tuple[Kind | None, Kind | None]:
        region, instance_type, tenancy, code = alike
        return (
            kind_of(region, instance_type, code, tenancy),
            kind_of(region, instance_type, expected, tenancy),
        )

    kinds = {alike: of(alike) for alike in counted}
    prices = prices_of(kind for both in kinds.values() for kind in both)
    most_first = sorted(counted, key=lambda alike: (-counted[alike], str(alike)))
    return tuple(
        Line(
            instance_type=alike[1],
            usage_operation=alike[3],
            tenancy=alike[2],
            count=counted[alike],
            now=price_of(kinds[alike][0], prices),
            due=price_of(kinds[alike][1], prices),
        )
        for alike in most_first
    )


def instance_price(instance: Instance) -> Price | None:
    """Return the list price of a running instance as it is billed; None where it has none."""
    is_running = instance.state == "running" and not instance.is_gone
    if not is_running or instance.lifecycle or not are_read():
        return None
    code = recorded_code(instance.usage_operation, instance.platform_details)
    kind = kind_of(instance.region, instance.instance_type, code, instance.tenancy)
    return price_of(kind, prices_of([kind])) if kind else None


def purchase_worth(row: ReservedInstance, seen: QuerySet[Instance]) -> Worth | None:
    """Compare a purchase with the list; None where list prices were never read.

    `seen` are the instances that a person may see.
    """
    if not are_read():
        return None
    kind = kind_of_purchase(row.region, row.instance_type, row.product_description, row.tenancy)
    paid = None
    if row.hourly_cost is not None and row.instance_count:
        paid = hourly(row.hourly_cost / row.instance_count)
    return Worth(
        kind=kind,
        price=price_of(kind, prices_of([kind])),
        paid=paid,
        currency=row.currency,
        rest=_rest(row, kind, seen),
    )


def _rest(row: ReservedInstance, kind: Kind | None, seen: QuerySet[Instance]) -> Fraction | None:
    """Return how many running instances of its kind and payer no purchase pays for."""
    if kind is None or row.judged_at is None:
        return None
    payer = row.account.payer_number
    codes = codes_paid_by(row.product_description)
    texts = [code.platform_details for code in TABLE if code.usage_operation in codes]
    alike = seen.filter(
        Q(account__payer=payer) | Q(account__payer="", account__number=payer),
        Q(usage_operation__in=codes) | Q(usage_operation=None, platform_details__in=texts),
        gone_at=None,
        state="running",
        lifecycle="",
        region=kind.region,
        instance_type=kind.instance_type,
        tenancy=kind.tenancy,
    )
    shares: Any = Cover.objects.filter(instance__in=alike).order_by().values_list("share")
    counted = shares.annotate(Count("pk"))
    paid = sum((Fraction(share) * number for share, number in counted), Fraction(0))
    return alike.count() - paid
