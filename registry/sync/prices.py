"""List prices: which ones are needed, and how they are read and kept."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from django.db.models import Count, QuerySet, Sum

from registry.aws import AwsError, Malformed, PriceRecord, Pricing
from registry.billing.codes import recorded_code
from registry.billing.on_demand import PRICED_TENANCIES, Kind, kind_of, kind_of_purchase
from registry.billing.rules import CODE_RULES
from registry.models import Finding, Instance, ListPrice, ReservedInstance

FRESH = timedelta(days=7)
BATCH = 50
# AWS refuses one question, not the account that asks.
_ITS_OWN = "InvalidParameterException"
# What is wrong with these images is that they do not carry the expected code.
OF_DIFFERENCE = {*CODE_RULES, "AMI012"}


@dataclass(slots=True)
class Reading:
    """What became of the prices that were asked for."""

    read: set[Kind] = field(default_factory=set)
    unknown: int = 0  # of those read: AWS lists none, or not one alone
    odd: dict[Kind, str] = field(default_factory=dict)  # no answer to this one, and why


def needed_prices(*, at: datetime) -> list[Kind]:
    """Return what is missing or too old, that first which most instances need.

    Needed are the codes with which instances run, those that they should have by an open finding
    of their image, and those that active purchases pay for.
    """
    wanted: Counter[Kind] = Counter()
    for kind, number in (*_running(), *_expected(), *_bought()):
        wanted[kind] += number
    known = {
        Kind(*values): read_at
        for *values, read_at in ListPrice.objects.values_list(*Kind._fields, "read_at")
    }
    due = [kind for kind in wanted if kind not in known or known[kind] < at - FRESH]
    # What nobody has read yet comes before what is only old.
    return sorted(due, key=lambda kind: (kind in known, -wanted[kind], kind))


def read_prices(pricing: Pricing, kinds: Sequence[Kind], reading: Reading, *, at: datetime) -> None:
    """Ask for each of `kinds` and keep what was answered, also where an error ends it.

    What could not be read leaves what is known as it is.
    """
    rest = iter(kinds)
    while batch := list(islice(rest, BATCH)):
        found: dict[Kind, PriceRecord] = {}
        try:
            for kind in batch:
                try:
                    found[kind] = pricing.on_demand(**kind._asdict())
                except Malformed as error:
                    reading.odd[kind] = str(error)
                except AwsError as error:
                    if error.code != _ITS_OWN:
                        raise
                    reading.odd[kind] = str(error)
        finally:
            _keep(found, at=at)
            reading.read |= found.keys()
            reading.unknown += sum(record.hourly is None for record in found.values())


def _keep(found: dict[Kind, PriceRecord], *, at: datetime) -> None:
    rows = [
        ListPrice(
            **kind._asdict(),
            hourly=record.hourly,
            currency=record.currency,
            sku=record.sku,
            effective_at=record.effective_at,
            problem=record.problem,
            read_at=at,
        )
        for kind, record in sorted(found.items())  # two who write wait for each other in one order
    ]
    ListPrice.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=Kind._fields,
        update_fields=["hourly", "currency", "sku", "effective_at", "problem", "read_at"],
    )


def _on_demand() -> QuerySet[Instance]:
    """Leave the running instances that have a list price, as far as their code has one."""
    rows = Instance.objects.present().running().filter(lifecycle="", tenancy__in=PRICED_TENANCIES)
    return rows.exclude(instance_type__startswith="mac")


def _running() -> Iterator[tuple[Kind, int]]:
    columns = ("region", "instance_type", "tenancy", "usage_operation", "platform_details")
    rows = _on_demand().order_by().values_list(*columns).annotate(Count("pk"))
    for region, instance_type, tenancy, code, details, number in rows:
        kind = kind_of(region, instance_type, recorded_code(code, details), tenancy)
        if kind:
            yield kind, number


def _expected() -> Iterator[tuple[Kind, int]]:
    wrong = Finding.objects.open().filter(rule__in=OF_DIFFERENCE, image__gone_at=None)
    images = wrong.exclude(image__expected_usage_operation=None)
    expected = dict(images.values_list("image__aws_id", "image__expected_usage_operation"))
    columns = ("region", "instance_type", "tenancy", "image_id")
    launched = _on_demand().filter(image_id__in=images.values("image__aws_id"))
    rows = launched.order_by().values_list(*columns).annotate(Count("pk"))
    for region, instance_type, tenancy, image_id, number in rows:
        kind = kind_of(region, instance_type, expected.get(image_id), tenancy)
        if kind:
            yield kind, number


def _bought() -> Iterator[tuple[Kind, int]]:
    columns = ("region", "instance_type", "product_description", "tenancy")
    rows = ReservedInstance.objects.present().active().order_by().values_list(*columns)
    for region, instance_type, platform, tenancy, number in rows.annotate(Sum("instance_count")):
        kind = kind_of_purchase(region, instance_type, platform, tenancy)
        if kind:
            yield kind, number
