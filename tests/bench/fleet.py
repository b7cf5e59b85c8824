"""The instances and purchases of a large company, without a database."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from registry.billing.codes import PLAIN, reserved_platform
from registry.billing.fleet import Machine, Owner, Purchase

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
ACCOUNTS = [f"{n:012d}" for n in range(1, 101)]
PAYERS = 4
REGIONS = ("eu-west-1", "us-east-1", "eu-central-1", "us-west-2")
TYPES = [
    f"{family}.{size}"
    for family in ("m5", "m6i", "c5", "r5", "t3", "g4dn")
    for size in ("large", "xlarge", "2xlarge", "4xlarge")
]
# Codes that are bought for, and how often.
CODES = {
    PLAIN: 50,
    "RunInstances:0010": 15,
    "RunInstances:0002": 12,
    "RunInstances:000g": 6,
    "RunInstances:00g0": 5,
    "RunInstances:0006": 4,
    "RunInstances:0004": 4,
    "RunInstances:1010": 4,
}
UNPAID = ("RunInstances:0g00", "RunInstances:0014")  # no purchase pays for these
MACHINES_AN_IMAGE = 8
LOST_EVERY = 10  # images


@dataclass(frozen=True)
class Company:
    purchases: list[Purchase]
    machines: list[Machine]
    owners: list[Owner]
    bad_images: dict[str, dict[str, str]]  # image → instances and the code that each should carry


def company(machines: int, purchases: int, *, seed: int = 1) -> Company:
    """Return a fleet of that size; the same one for the same seed."""
    dice = random.Random(seed)  # noqa: S311  # a company, no secret
    owners = [
        Owner(name, ACCOUNTS[n % PAYERS], sharing=bool(n % 10), group=f"group-{n % 20}")
        for n, name in enumerate(ACCOUNTS)
    ]
    found = Company([], [], owners, {})
    for n in range(0, machines, MACHINES_AN_IMAGE):
        _run_image(found, n, min(MACHINES_AN_IMAGE, machines - n), dice)
    found.purchases.extend(_bought(n, dice) for n in range(purchases))
    return found


def _run_image(found: Company, first: int, number: int, dice: random.Random) -> None:
    """Run instances of one image; some images have lost their code."""
    image = first // MACHINES_AN_IMAGE
    (code,) = dice.choices([*CODES, *UNPAID], [*CODES.values(), 2, 1])
    is_lost = code != PLAIN and image % LOST_EVERY == 0
    account, region = dice.choice(ACCOUNTS), dice.choice(REGIONS)
    for n in range(first, first + number):
        zone, zone_id = _zone(account, region, dice)
        found.machines.append(
            Machine(
                aws_id=f"i-{n:017x}",
                account=account,
                region=region,
                instance_type=dice.choice(TYPES),
                usage_operation=PLAIN if is_lost else code,
                tenancy="default" if dice.random() < 0.95 else "dedicated",
                lifecycle="" if dice.random() < 0.95 else "spot",
                zone=zone,
                zone_id=zone_id,
            )
        )
        if is_lost:
            found.bad_images.setdefault(f"ami-{image}", {})[found.machines[-1].aws_id] = code


def _bought(n: int, dice: random.Random) -> Purchase:
    (code,) = dice.choices([*CODES], [*CODES.values()])
    account, region = dice.choice(ACCOUNTS), dice.choice(REGIONS)
    is_zonal = dice.random() < 0.3
    zone, zone_id = _zone(account, region, dice) if is_zonal else ("", "")
    suffix = "" if dice.random() < 0.9 else " (Amazon VPC)"
    return Purchase(
        aws_id=f"ri-{n:06d}",
        account=account,
        region=region,
        instance_type=dice.choice(TYPES),
        count=dice.randint(1, 16),
        platform=f"{reserved_platform(code)}{suffix}",
        tenancy="default" if dice.random() < 0.95 else "dedicated",
        scope="Availability Zone" if is_zonal else "Region",
        start=AT - timedelta(days=100),
        end=AT + timedelta(days=265),
        offering_type="No Upfront",
        fixed_price=Decimal(0),
        usage_price=Decimal(0),
        recurring_hourly=Decimal(dice.randint(2, 90)) / 100,
        duration_seconds=31_536_000,
        zone=zone,
        zone_id=zone_id,
    )


def _zone(account: str, region: str, dice: random.Random) -> tuple[str, str]:
    """Return a zone by the name that the account has for it, and by its id."""
    zone = dice.randrange(3)
    letter = "abc"[(zone + int(account)) % 3]
    return f"{region}{letter}", f"{region}-az{zone}"
