"""What the seeded company is billed for its machines and purchases in a month, line by line.

The prices are made up.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from fractions import Fraction

from sandbox.aws.applied import Bought, bought, units
from sandbox.aws.billing import PLAIN
from sandbox.aws.catalog import MANAGEMENT
from sandbox.aws.ran import (
    FEWER,
    HOUR,
    MISSING,
    STRANGE,
    STRANGER,
    Month,
    Ran,
    Runs,
    hour,
    running,
    runs,
)
from sandbox.aws.state import State, Thing

_PREFIXES = {"us-east-1": "", "us-west-2": "USW2-", "eu-west-1": "EU-", "eu-central-1": "EUC1-"}
_UNIT = Fraction(12, 1000)  # dollars an hour for a unit of size
_LICENCE = Fraction(6, 100)  # and for a licence, whichever
# The columns, as CSV and as Parquet call them.
COLUMNS = {
    "identity/LineItemId": "identity_line_item_id",
    "bill/PayerAccountId": "bill_payer_account_id",
    "bill/BillingPeriodStartDate": "bill_billing_period_start_date",
    "lineItem/UsageAccountId": "line_item_usage_account_id",
    "lineItem/LineItemType": "line_item_line_item_type",
    "lineItem/UsageStartDate": "line_item_usage_start_date",
    "lineItem/UsageEndDate": "line_item_usage_end_date",
    "lineItem/ProductCode": "line_item_product_code",
    "lineItem/UsageType": "line_item_usage_type",
    "lineItem/Operation": "line_item_operation",
    "lineItem/AvailabilityZone": "line_item_availability_zone",
    "lineItem/ResourceId": "line_item_resource_id",
    "lineItem/UsageAmount": "line_item_usage_amount",
    "lineItem/NormalizationFactor": "line_item_normalization_factor",
    "lineItem/NormalizedUsageAmount": "line_item_normalized_usage_amount",
    "lineItem/CurrencyCode": "line_item_currency_code",
    "lineItem/UnblendedCost": "line_item_unblended_cost",
    "product/instanceType": "product_instance_type",
    "product/region": "product_region",
    "reservation/EffectiveCost": "reservation_effective_cost",
    "reservation/ReservationARN": "reservation_reservation_a_r_n",
    "reservation/UnusedQuantity": "reservation_unused_quantity",
    "reservation/UnusedRecurringFee": "reservation_unused_recurring_fee",
    "reservation/UnusedAmortizedUpfrontFeeForBillingPeriod": (
        "reservation_unused_amortized_upfront_fee_for_billing_period"
    ),
}
TIMES = ("bill/BillingPeriodStartDate", "lineItem/UsageStartDate", "lineItem/UsageEndDate")
DOUBLES = (
    *("lineItem/UsageAmount", "lineItem/NormalizationFactor", "lineItem/NormalizedUsageAmount"),
    *("lineItem/UnblendedCost", "reservation/EffectiveCost", "reservation/UnusedQuantity"),
    "reservation/UnusedRecurringFee",
    "reservation/UnusedAmortizedUpfrontFeeForBillingPeriod",
)
_WHOLE = {name.rpartition("/")[2]: name for name in COLUMNS}


def charges(state: State, month: Month) -> Iterator[Mapping[str, str]]:
    """Yield the lines of a month, as far as it is billed."""
    machines = running(state, month)
    things = sorted(state.things["reserved_instances"].items())
    purchases = [_as_billed(thing) for _, thing in things if thing["InstanceType"] != MISSING]
    by_id = {one.aws_id: one for one in purchases}
    found = runs(machines, purchases, month)
    for (aws_id, code, paid_by), ran in found.items():
        yield _line(month, _usage(machines[aws_id].thing, code, by_id.get(paid_by), ran))
    used = _used(found, by_id)
    for one in purchases:
        begin, end = max(hour(one.start), month.begin), min(hour(one.end), month.through)
        if begin < end:
            total = Fraction(one.count * ((end - begin) // HOUR))
            unused = total - used[one.aws_id]
            yield _line(month, _fee(one, total, unused) | _unused_cost(state, one, unused))
    hours = Fraction((month.through - month.begin) // HOUR)
    if hours:
        yield _line(month, _fee(_strange(month), 2 * hours, 2 * hours))


def _as_billed(thing: Thing) -> Bought:
    found = bought(thing)
    return replace(found, count=found.count - 1) if found.kind == FEWER else found


def _strange(month: Month) -> Bought:
    """A purchase of somebody who is not of the organization any more."""
    about = ("us-east-1", "", "m5.large", "Linux/UNIX", "default")
    return Bought(STRANGE, STRANGER, *about, 2, month.begin, month.end)


def _used(found: Runs, by_id: Mapping[str, Bought]) -> Mapping[str, Fraction]:
    """Return by purchase the hours that were used, of machines of its own type."""
    used = dict.fromkeys(by_id, Fraction(0))
    for (_, _, paid_by), ran in found.items():
        if paid_by:
            used[paid_by] += Fraction(ran.unit_hours, units(by_id[paid_by].kind))
    return used


def _usage(thing: Thing, code: str, paid_by: Bought | None, ran: Ran) -> dict[str, str]:
    kind, place = thing["InstanceType"], thing["Placement"]
    hours = Fraction(ran.unit_hours, units(kind))
    cost = hours * (factor(kind) * _UNIT + (code != PLAIN) * _LICENCE)
    usage_type = "DedicatedUsage" if place["Tenancy"] == "dedicated" else "BoxUsage"
    if "InstanceLifecycle" in thing:
        usage_type, code = "SpotUsage", f"{code}:SV00{place['AvailabilityZoneId'][-1]}"
    line = {
        "LineItemType": "Usage",
        "UsageAccountId": thing["_account"],
        "UsageStartDate": _time(ran.first),
        "UsageEndDate": _time(ran.last),
        "UsageType": f"{_PREFIXES[thing['_region']]}{usage_type}:{kind}",
        "Operation": code,
        "AvailabilityZone": place["AvailabilityZone"],
        "ResourceId": thing["InstanceId"],
        "UsageAmount": _number(hours),
        "NormalizationFactor": _number(factor(kind)),
        "NormalizedUsageAmount": _number(hours * factor(kind)),
        "UnblendedCost": _number(cost),
        "instanceType": kind,
        "region": thing["_region"],
    }
    if paid_by:
        line |= {
            "LineItemType": "DiscountedUsage",
            "ReservationARN": _arn(paid_by),
            "EffectiveCost": _number(cost * 3 / 5),
            "UnblendedCost": "0",
        }
    return line


def factor(kind: str) -> Fraction:
    return Fraction(units(kind), 4)


def _fee(one: Bought, total: Fraction, unused: Fraction) -> dict[str, str]:
    return {
        "LineItemType": "RIFee",
        "UsageAccountId": one.account,
        "UsageType": f"{_PREFIXES[one.region]}HeavyUsage:{one.kind}",
        "Operation": PLAIN,
        "UsageAmount": _number(total),
        "NormalizationFactor": _number(factor(one.kind)),
        "NormalizedUsageAmount": _number(total * factor(one.kind)),
        "instanceType": one.kind,
        "region": one.region,
        "ReservationARN": _arn(one),
        "UnusedQuantity": _number(unused),
    }


def _unused_cost(state: State, one: Bought, unused: Fraction) -> dict[str, str]:
    """Return what the unused hours cost; what a modified purchase cost is told of its origin."""
    thing = state.things["reserved_instances"][one.aws_id]
    recurring = sum(Fraction(str(charge["Amount"])) for charge in thing["RecurringCharges"])
    for origin in thing.get("_modified_from", []):
        thing = state.things["reserved_instances"][origin]
    upfront = Fraction(str(thing["FixedPrice"])) * 3600 / thing["Duration"]
    return {
        "UnusedRecurringFee": _number(recurring * unused),
        "UnusedAmortizedUpfrontFeeForBillingPeriod": _number(upfront * unused),
    }


def _line(month: Month, fields: Mapping[str, str]) -> dict[str, str]:
    told = {
        "PayerAccountId": MANAGEMENT,
        "BillingPeriodStartDate": _time(month.begin),
        "UsageStartDate": _time(month.begin),
        "UsageEndDate": _time(month.end),
        "ProductCode": "AmazonEC2",
        "CurrencyCode": "USD",
        **fields,
    }
    return {_WHOLE[name]: value for name, value in told.items()}


def _arn(one: Bought) -> str:
    return f"arn:aws:ec2:{one.region}:{one.account}:reserved-instances/{one.aws_id}"


def _number(value: Fraction) -> str:
    return f"{float(value):.10f}"


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
