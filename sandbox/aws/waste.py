"""Machines of the seeded company beside purchases that do not pay for them, each for one reason.

Every case has a family of its own, which nothing else in the company uses: so it stays what it is.
"""

from collections.abc import Sequence

from sandbox.aws.builders import Builder
from sandbox.aws.catalog import LICENSED
from sandbox.aws.losses import Way
from sandbox.aws.purchases import Terms, buy, modified
from sandbox.aws.state import Thing

RHEL = "RunInstances:0010"


def lost_fleet(build: Builder, word: str, lose: Way, number: int) -> None:
    """A fleet bought for as a whole, of which a part lost its code: that part of it stays idle."""
    pattern, usage_operation, kind = LICENSED[number % len(LICENSED)]
    name, dice = pattern.format(word=word), build.dice
    sound = build.created(f"{pattern.format(word='fleet')}-{{date}}", usage_operation, 30)
    broken = lose(build, f"{name}-{dice.randint(100, 999)}", usage_operation, dice.randint(5, 300))
    well, badly = dice.randint(1, 4), dice.randint(2, 5)
    for position in range(well):
        build.launched(sound, kind, position, is_steady=True)
    for position in range(badly):
        build.launched(broken, kind, well + position, is_steady=True)
    buy(build, kind, well + badly, usage_operation, Terms(years=1 + 2 * (number % 3 == 0)))


def bought_wrong(builds: Sequence[Builder]) -> None:
    """One purchase for each other reason to stay idle."""
    zone, tenancy, size, stopped, much, *others = builds
    for machine in _machines(zone, "web-zones", "RunInstances", "m6a.xlarge", 4):
        zone.place(machine, 1)
    buy(zone, "m6a.xlarge", 4, "RunInstances", Terms(zone=0))

    for machine in _machines(tenancy, "erp-dedicated", "RunInstances", "r6a.xlarge", 3):
        machine["Placement"]["Tenancy"] = "dedicated"
    paid = buy(tenancy, "r6a.xlarge", 3, "RunInstances", Terms(offering_type="All Upfront"))
    modified(tenancy, paid, 12)

    _machines(size, "rhel9-half", RHEL, "c6a.xlarge", 4)
    buy(size, "c6a.2xlarge", 2, RHEL)

    for machine in _machines(stopped, "batch-nightly", "RunInstances", "c6i.4xlarge", 4):
        machine["State"] = {"Code": 80, "Name": "stopped"}
    buy(stopped, "c6i.4xlarge", 4, "RunInstances", Terms(offering_type="Partial Upfront"))

    _machines(much, "rhel9-grown", RHEL, "r6in.xlarge", 3)
    buy(much, "r6in.xlarge", 5, RHEL)

    for build, state in zip(others, ("retired", "retired", "queued", "queued"), strict=True):
        _machines(build, "web-old", "RunInstances", "m4.large", 2)
        buy(build, "m4.large", 3, "RunInstances", Terms(state=state))


def bought_in_vain(build: Builder) -> None:
    """Bought for machines that were never launched; at least it can be exchanged."""
    buy(build, "r5.8xlarge", 2, "RunInstances:0002", Terms(is_convertible=True, years=3))


def used_elsewhere(buyer: Builder, user: Builder) -> None:
    """A zonal purchase that pays in another account, where the zone has another name."""
    wanted = buyer.zone(0)["AvailabilityZoneId"]
    (there,) = [zone for zone in range(3) if user.zone(zone)["AvailabilityZoneId"] == wanted]
    for machine in _machines(user, "api-shared", "RunInstances", "m5n.xlarge", 3):
        user.place(machine, there)
    buy(buyer, "m5n.xlarge", 3, "RunInstances", Terms(zone=0, suffix=" (Amazon VPC)"))


def _machines(
    build: Builder, name: str, usage_operation: str, kind: str, number: int
) -> list[Thing]:
    image = build.created(f"{name}-{{date}}", usage_operation, build.dice.randint(5, 300))
    return [build.launched(image, kind, n, is_steady=True) for n in range(number)]
