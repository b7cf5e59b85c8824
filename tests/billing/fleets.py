"""Purchases, instances and accounts, of which a test names only what it is about."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import count
from typing import Any

from hypothesis import strategies as st

from registry.billing.coverage import Coverage, PurchaseUse, apply
from registry.billing.fleet import Machine, Owner, Purchase
from registry.billing.normalization import factor
from tests.billing.by_hand import Books

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
PLAIN, RHEL, RHEL_BYOL = "RunInstances", "RunInstances:0010", "RunInstances:00g0"
LINUX_RI, RHEL_RI = "Linux/UNIX", "Red Hat Enterprise Linux"
ONE, OTHER, ALONE, STRANGER = "111111111111", "222222222222", "333333333333", "999999999999"
# Two accounts that share, one of the same payer that does not, and one of another payer.
FAMILY = (
    Owner(ONE, ONE),
    Owner(OTHER, ONE),
    Owner(ALONE, ONE, sharing=False),
    Owner(STRANGER, STRANGER),
)
_numbers = count(1)


def bought(instance_type: str, number: int = 1, **fields: Any) -> Purchase:
    """`number` regional Reserved Instances for Linux/UNIX at $0.15 an hour each."""
    defaults: dict[str, Any] = {
        "aws_id": f"ri-{next(_numbers)}",
        "account": ONE,
        "region": "us-east-1",
        "platform": LINUX_RI,
        "offering_type": "No Upfront",
        "fixed_price": Decimal(0),
        "usage_price": Decimal(0),
        "recurring_hourly": Decimal("0.15"),
    }
    return Purchase(instance_type=instance_type, count=number, **defaults | fields)


def zonal(instance_type: str, number: int = 1, **fields: Any) -> Purchase:
    zone = {"scope": "Availability Zone", "zone": "us-east-1a", "zone_id": "use1-az1"}
    return bought(instance_type, number, **zone | fields)


def running(aws_id: str, instance_type: str, **fields: Any) -> Machine:
    defaults: dict[str, Any] = {
        "account": ONE,
        "region": "us-east-1",
        "usage_operation": PLAIN,
        "zone": "us-east-1a",
        "zone_id": "use1-az1",
    }
    return Machine(aws_id=aws_id, instance_type=instance_type, **defaults | fields)


def applied(
    purchases: list[Purchase], machines: list[Machine], owners: tuple[Owner, ...] = FAMILY
) -> Coverage:
    return apply(purchases, machines, owners, at=NOON)


def use_of(
    purchase: Purchase, machines: list[Machine], owners: tuple[Owner, ...] = FAMILY
) -> PurchaseUse:
    """How far one purchase, alone in the world, is used."""
    return applied([purchase], machines, owners).purchases[purchase.aws_id]


def fits(purchase: Purchase, machine: Machine, owners: Iterable[Owner] = FAMILY) -> bool:
    return Books.of([purchase], [machine], owners, NOON).may_pay(purchase, machine)


def size(thing: Machine | Purchase) -> Fraction:
    """The normalization factor of a type that has one."""
    found = factor(thing.instance_type)
    assert found is not None
    return found


# Few values, so that much meets.
_types = st.sampled_from(["m5.large", "m5.xlarge", "m5.2xlarge", "c5.large", "g4dn.xlarge"])
_accounts = st.sampled_from([ONE, OTHER, ALONE, STRANGER])
_regions = st.sampled_from(["us-east-1", "us-east-1", "eu-west-1"])
_zones = st.sampled_from(["a", "b"])
_tenancies = st.sampled_from(["default", "default", "dedicated", "host"])
_codes = st.sampled_from([PLAIN, PLAIN, RHEL, RHEL_BYOL, "RunInstances:0g00", "", None])


@st.composite
def purchases(draw: st.DrawFn) -> Purchase:
    region, zone = draw(_regions), draw(_zones)
    make = zonal if draw(st.booleans()) else bought
    return make(
        draw(_types),
        draw(st.integers(0, 3)),
        account=draw(_accounts),
        region=region,
        zone=f"{region}{zone}",
        zone_id=f"{region}-az-{zone}",
        platform=draw(st.sampled_from([LINUX_RI, LINUX_RI, RHEL_RI])),
        tenancy=draw(_tenancies),
        state=draw(st.sampled_from(["active", "active", "active", "retired"])),
    )


@st.composite
def machines(draw: st.DrawFn) -> Machine:
    region, zone = draw(_regions), draw(_zones)
    return running(
        f"i-{next(_numbers)}",
        draw(_types),
        account=draw(_accounts),
        region=region,
        zone=f"{region}{zone}",
        zone_id=f"{region}-az-{zone}",
        usage_operation=draw(_codes),
        tenancy=draw(_tenancies),
        state=draw(st.sampled_from(["running", "running", "running", "stopped"])),
        lifecycle=draw(st.sampled_from(["", "", "", "spot"])),
    )


@st.composite
def _owners(draw: st.DrawFn) -> tuple[Owner, ...]:
    """Accounts of which most have one payer, with switches and groups of every kind."""
    return tuple(
        Owner(
            account,
            ONE if account != STRANGER or draw(st.booleans()) else STRANGER,
            sharing=draw(st.sampled_from([True, True, True, False])),
            group=draw(st.sampled_from(["", "red", "red", "blue"])),
            is_restricted=draw(st.sampled_from([False, False, True])),
        )
        for account in (ONE, OTHER, ALONE, STRANGER)
    )


owners = _owners()
fleets = st.tuples(st.lists(purchases(), max_size=6), st.lists(machines(), max_size=12))
