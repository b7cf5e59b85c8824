"""The seeded company: six accounts, four regions, and what goes wrong in them."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sandbox.aws.builders import Builder
from sandbox.aws.inventory import REGIONS
from sandbox.aws.scope import Scope
from sandbox.aws.state import State, Thing

MANAGEMENT = "100000000001"
ACCOUNTS = {
    MANAGEMENT: "northwind-billing",
    "418273095511": "core-prod",
    "736120488204": "core-staging",
    "290517736642": "data-platform",
    "655301927748": "shared-images",
    "903318846125": "dev-sandbox",
}
DEV_SANDBOX = "903318846125"
IMAGES_A_SCOPE, INSTANCES_A_SCOPE = 54, 96
PURCHASES = 60

# Names as people give them, the code, and how often.
KINDS: tuple[tuple[str, str, int], ...] = (
    ("web-al2023-{date}", "RunInstances", 30),
    ("api-ubuntu-22.04-{date}", "RunInstances", 14),
    ("batch-worker-{date}", "RunInstances", 10),
    ("rhel-9.4-base-{date}", "RunInstances:0010", 12),
    ("rhel8-app-{date}", "RunInstances:0010", 6),
    ("rhel8-ha-cluster-{date}", "RunInstances:1010", 2),
    ("rhel9-byos-{date}", "RunInstances:00g0", 2),
    ("win2022-core-{date}", "RunInstances:0002", 12),
    ("win2019-iis-{date}", "RunInstances:0002", 6),
    ("win2019-byol-{date}", "RunInstances:0800", 2),
    ("win2022-sqlstd-{date}", "RunInstances:0006", 4),
    ("win2022-sqlent-{date}", "RunInstances:0102", 2),
    ("win2022-sqlweb-{date}", "RunInstances:0202", 2),
    ("sles15-sp6-{date}", "RunInstances:000g", 5),
    ("ubuntu-pro-22.04-{date}", "RunInstances:0g00", 4),
    ("ubuntu-sqlstd-{date}", "RunInstances:0004", 1),
    ("ubuntu-sqlent-{date}", "RunInstances:0100", 1),
    ("ubuntu-sqlweb-{date}", "RunInstances:0200", 1),
)
RARE = (
    ("rhel9-sqlstd-{date}", "RunInstances:0014"),
    ("rhel9-sqlweb-{date}", "RunInstances:0210"),
    ("rhel9-sqlent-{date}", "RunInstances:0110"),
    ("rhel9-ha-sqlstd-{date}", "RunInstances:1014"),
    ("rhel9-ha-sqlent-{date}", "RunInstances:1110"),
    *((name, code) for name, code, often in KINDS if often == 1),
)
HOSTILE = (
    "<script>alert(1)</script>",
    '=cmd|"/c calc"!A1',
    'O\'Hara "quoted" & co',
    "\u202egnp.egami",
    "a-name-without-any-end-" * 10,
)
LICENSED = (
    ("rhel9-{word}", "RunInstances:0010"),
    ("sles15-{word}", "RunInstances:000g"),
    ("win2019-{word}", "RunInstances:0002"),
    ("win2022-sqlstd-{word}", "RunInstances:0006"),
)
TYPES = (
    "t3.medium",
    "m5.large",
    "m5.xlarge",
    "m6i.xlarge",
    "m6i.2xlarge",
    "c5.4xlarge",
    "r6i.2xlarge",
)


@dataclass(frozen=True, slots=True)
class Place:
    scope: Scope
    build: Builder


def populate(state: State, *, seed: int, now: datetime) -> None:
    """Fill an empty state; the same seed and time give the same company."""
    dice = random.Random(seed)  # noqa: S311  # a company, no secret
    for number, name in ACCOUNTS.items():
        state.accounts[number] = {
            "Name": name,
            "RoleArn": f"arn:aws:iam::{number}:role/amiportal",
            "ExternalId": f"northwind-{number[:4]}",
            "RecycleBin": name == "core-prod",
        }
    places = []
    for position, number in enumerate(ACCOUNTS):
        for region in REGIONS:
            scope = Scope(state, number, region)
            places.append(Place(scope, Builder(scope, dice, now, position)))
    for place in places:
        _fill(place, dice)
    _golden(next(p for p in places if p.scope.account == DEV_SANDBOX))
    _buy(places, dice, now)


def _fill(place: Place, dice: random.Random) -> None:
    images = [
        place.build.created(name, code, dice.randint(1, 700))
        for name, code in _wanted(dice, IMAGES_A_SCOPE - 10)
    ]
    images += _lost(place, dice)
    images += [place.build.marketplace(f"rhel9-marketplace-{dice.randint(1, 99)}")]
    images[0]["State"] = "disabled"
    images[1]["DeprecationTime"] = "2026-06-01T00:00:00.000Z"
    images[2]["Name"] = dice.choice(HOSTILE)[:128]
    images[2]["Tags"] = [{"Key": "Name", "Value": dice.choice(HOSTILE)[:256]}]
    usable = [image for image in images if image["State"] == "available"]
    for number in range(INSTANCES_A_SCOPE):
        # Few images run much, as in life.
        image = usable[int(len(usable) * dice.random() ** 2)]
        place.build.launched(image, dice.choice(TYPES), number)
    for _ in range(3):
        place.build.orphan(dice.choice(TYPES))


def _wanted(dice: random.Random, number: int) -> list[tuple[str, str]]:
    weights = [often for _, _, often in KINDS]
    names = [(name, code) for name, code, _ in KINDS]
    return [dice.choice(RARE), *dice.choices(names, weights, k=number - 1)]


def _lost(place: Place, dice: random.Random) -> list[Thing]:
    """Images whose code was lost, each in another way."""
    ways = (
        ("surrogate", place.build.surrogate),
        ("import", place.build.imported),
        ("restore", place.build.restored),
        ("copy", place.build.copied),
    )
    found = []
    for word, lose in ways:
        name, code = dice.choice(LICENSED)
        age = dice.randint(5, 300)
        found.append(lose(f"{name.format(word=word)}-{dice.randint(100, 999)}", code, age))
    # What is lost runs on a fleet of one type, so that purchases for it stay idle.
    for image in found[2:]:
        for number in range(dice.randint(2, 6)):
            place.build.launched(image, "m6i.xlarge", 500 + number, is_steady=True)
    return found


def _golden(place: Place) -> None:
    """The two snapshots of the demo: one whose code survives, one whose code is lost."""
    code = "RunInstances:0010"
    place.build.named_snapshot("golden-rhel9-root", code, is_kept=True)
    place.build.named_snapshot("golden-rhel9-surrogate", code, is_kept=False)


def _buy(places: Sequence[Place], dice: random.Random, now: datetime) -> None:
    """Buy for what runs; some too much, some for what lost its code, some in vain."""
    groups = _groups(places)
    for bought, ((place, kind, code), number) in enumerate(groups[: PURCHASES - 18]):
        count = number if dice.random() < 0.8 else number + dice.randint(1, 3)  # noqa: PLR2004
        place.build.purchase(kind, count, code, is_zonal=bought % 9 == 0)
    for place in places[4:14]:
        # Bought for Red Hat machines that now run as plain Linux.
        place.build.purchase("m6i.xlarge", dice.randint(2, 5), "RunInstances:0010")
    for place in places[14:18]:
        place.build.purchase("r5.8xlarge", 2, "RunInstances:0002", is_convertible=True)
    for place, state in zip(places[18:22], ("retired", "retired", "queued", "queued"), strict=True):
        place.build.purchase("m5.large", 3, "RunInstances", state=state)


def _groups(places: Sequence[Place]) -> list[tuple[tuple[Place, str, str], int]]:
    found = []
    for place in places:
        counts: Counter[tuple[str, str]] = Counter(
            (instance["InstanceType"], instance["UsageOperation"])
            for instance in place.scope.mine("instances")
            if instance["State"]["Name"] == "running" and "InstanceLifecycle" not in instance
        )
        for (kind, code), number in counts.most_common(2):
            found.append(((place, kind, code), max(1, number * 2 // 3)))
    return sorted(found, key=lambda item: -item[1])
