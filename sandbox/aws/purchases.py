"""Reserved Instances that the seeded company bought."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sandbox.aws.builders import Builder
from sandbox.aws.pricing import list_price
from sandbox.aws.state import Thing, text

# Which platform one buys for a code; for the others there is none.
PLATFORMS = {
    "RunInstances": "Linux/UNIX",
    "RunInstances:00g0": "Linux/UNIX",
    "RunInstances:0010": "Red Hat Enterprise Linux",
    "RunInstances:1010": "Red Hat Enterprise Linux with HA",
    "RunInstances:000g": "SUSE Linux",
    "RunInstances:0002": "Windows",
    "RunInstances:0006": "Windows with SQL Server Standard",
    "RunInstances:0102": "Windows with SQL Server Enterprise",
    "RunInstances:0202": "Windows with SQL Server Web",
    "RunInstances:0004": "Linux with SQL Server Standard",
    "RunInstances:0100": "Linux with SQL Server Enterprise",
    "RunInstances:0200": "Linux with SQL Server Web",
}
_YEAR = 31_536_000
_HOURS_OF_A_YEAR = 8760


@dataclass(frozen=True, slots=True)
class Terms:
    """What a purchase is about, but for what it is for."""

    zone: int | None = None  # None: for the whole region
    state: str = "active"
    is_convertible: bool = False
    years: int = 1
    offering_type: str = "No Upfront"
    suffix: str = ""  # old purchases say " (Amazon VPC)"


REGIONAL = Terms()


def buy(
    build: Builder, kind: str, count: int, usage_operation: str, terms: Terms = REGIONAL
) -> Thing:
    """Buy `count` Reserved Instances of type `kind` for machines with the code."""
    dice = build.dice
    aws_id = f"{dice.getrandbits(32):08x}-27da-4f36-b05e-{dice.getrandbits(48):012x}"
    thing = {
        "ReservedInstancesId": aws_id,
        "InstanceType": kind,
        "InstanceCount": count,
        "ProductDescription": PLATFORMS[usage_operation] + terms.suffix,
        "InstanceTenancy": "default",
        "Scope": "Region" if terms.zone is None else "Availability Zone",
        **({} if terms.zone is None else build.zone(terms.zone)),
        "OfferingClass": "convertible" if terms.is_convertible else "standard",
        "OfferingType": terms.offering_type,
        "Duration": _YEAR * terms.years,
        "UsagePrice": 0.0,
        "CurrencyCode": "USD",
        "State": terms.state,
        **_times(build, terms),
        **_prices(_effective(build, kind, usage_operation), terms),
    }
    return build.scope.put("reserved_instances", aws_id, thing)


def modified(build: Builder, before: Thing, age: int) -> Thing:
    """What a modification made of a purchase, which is retired: no price is told of it any more."""
    aws_id = f"{before['ReservedInstancesId'][:24]}{0:012x}"
    made = {
        **before,
        "ReservedInstancesId": aws_id,
        "Start": build.ago(age),
        "FixedPrice": 0.0,
        "_modified_from": [before["ReservedInstancesId"]],
    }
    before.update(State="retired", End=made["Start"])
    return build.scope.put("reserved_instances", aws_id, made)


def _effective(build: Builder, kind: str, usage_operation: str) -> float:
    """Return what an hour costs effectively: a part of the list price, as one gets it by luck."""
    listed = list_price(build.scope.region, kind, usage_operation)
    return round(float(listed) * build.dice.uniform(0.5, 0.75), 4)


def _times(build: Builder, terms: Terms) -> dict[str, str]:
    begin = build.now - timedelta(days=build.dice.randint(30, 300))
    if terms.state == "queued":
        begin = build.now + timedelta(days=20)
    if terms.state == "retired":
        begin -= timedelta(days=365 * terms.years + 35)
    return {"Start": text(begin), "End": text(begin + timedelta(days=365 * terms.years))}


def _prices(hourly: float, terms: Terms) -> dict[str, Any]:
    """Spread an hourly price over what is paid at once and what is paid each hour."""
    at_once = {"No Upfront": 0.0, "Partial Upfront": 0.5, "All Upfront": 1.0}[terms.offering_type]
    rate = round(hourly * (1 - at_once), 4)
    return {
        "FixedPrice": round(hourly * at_once * _HOURS_OF_A_YEAR * terms.years, 2),
        "RecurringCharges": [{"Amount": rate, "Frequency": "Hourly"}] if rate else [],
    }
