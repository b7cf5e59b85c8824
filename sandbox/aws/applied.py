"""Which purchases pay for which machines at one time, in the order of AWS.

Zonal purchases come first, those of one's own account before all others; then the regional ones
likewise, which pay for the smallest machines first where size is flexible.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sandbox.aws.state import Thing

_UNITS = {"nano": 1, "micro": 2, "small": 4, "medium": 8, "large": 16, "xlarge": 32}


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine that runs, as far as purchases look at it."""

    aws_id: str
    account: str
    region: str
    zone: str
    kind: str
    platform: str
    tenancy: str


@dataclass(frozen=True, slots=True)
class Bought:
    """A purchase, with `count` machines of its kind."""

    aws_id: str
    account: str
    region: str
    zone: str  # empty: for the whole region
    kind: str
    platform: str
    tenancy: str
    count: int
    start: datetime
    end: datetime

    def may_pay(self, one: Machine) -> bool:
        mine = (self.region, self.platform, self.tenancy)
        if mine != (one.region, one.platform, one.tenancy) or self.zone not in {"", one.zone}:
            return False
        is_flexible = mine[1:] == ("Linux/UNIX", "default") and not self.zone
        return self.kind == one.kind or (is_flexible and family(self.kind) == family(one.kind))


def family(kind: str) -> str:
    return kind.partition(".")[0]


def units(kind: str) -> int:
    """Return how much a machine of a type is: four times its normalization factor."""
    size = kind.partition(".")[2]
    return _UNITS[size] if size in _UNITS else 32 * int(size.removesuffix("xlarge"))


def bought(thing: Thing) -> Bought:
    return Bought(
        aws_id=thing["ReservedInstancesId"],
        account=thing["_account"],
        region=thing["_region"],
        zone=thing.get("AvailabilityZoneId", ""),
        kind=thing["InstanceType"],
        platform=thing["ProductDescription"].removesuffix(" (Amazon VPC)"),
        tenancy=thing["InstanceTenancy"],
        count=thing["InstanceCount"],
        start=datetime.fromisoformat(thing["Start"]),
        end=datetime.fromisoformat(thing["End"]),
    )


def apply(
    purchases: Sequence[Bought], machines: Iterable[Machine]
) -> Mapping[str, Mapping[str, int]]:
    """Return for each machine how many of its units each purchase pays."""
    left = {one.aws_id: one.count * units(one.kind) for one in purchases}
    unpaid: dict[str, int] = {}
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for purchase, one in _turns(purchases, machines):
        whole = unpaid.get(one.aws_id, units(one.kind))
        paid = min(left[purchase.aws_id], whole)
        if paid:
            left[purchase.aws_id] -= paid
            unpaid[one.aws_id] = whole - paid
            found[one.aws_id][purchase.aws_id] = paid
    return found


def _turns(
    purchases: Sequence[Bought], machines: Iterable[Machine]
) -> Iterator[tuple[Bought, Machine]]:
    """Yield who is asked for whom, one after the other."""
    alike: dict[tuple[str, str], list[Machine]] = {
        (one.region, family(one.kind)): [] for one in purchases
    }
    for one in machines:
        alike.get((one.region, family(one.kind)), []).append(one)
    for some in alike.values():
        some.sort(key=lambda one: (units(one.kind), one.aws_id))
    for is_zonal in (True, False):
        for is_own in (True, False):
            for purchase in (one for one in purchases if bool(one.zone) == is_zonal):
                for one in alike[purchase.region, family(purchase.kind)]:
                    if (one.account == purchase.account) == is_own and purchase.may_pay(one):
                        yield purchase, one
