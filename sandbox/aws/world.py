"""The seeded company: six accounts, four regions, and what goes wrong in them."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from zlib import crc32

from sandbox.aws.billing import PLAIN
from sandbox.aws.bonds import bind
from sandbox.aws.builders import Builder, converted
from sandbox.aws.catalog import (
    ACCOUNTS,
    BASES,
    CORE_PROD,
    DEV_SANDBOX,
    HOSTILE,
    KINDS,
    LICENSED,
    MANAGEMENT,
    ODD_NAMES,
    RARE,
    SHARED_IMAGES,
    TYPES,
)
from sandbox.aws.inventory import REGIONS
from sandbox.aws.losses import Way, emptied, halved, reused, ways
from sandbox.aws.purchases import PLATFORMS, Terms, buy
from sandbox.aws.scope import Scope
from sandbox.aws.state import State, Thing, text
from sandbox.aws.waste import bought_in_vain, bought_wrong, lost_fleet, used_elsewhere

IMAGES_A_SCOPE, INSTANCES_A_SCOPE, PURCHASES = 40, 104, 60
FLEETS, VAIN, ELSEWHERE = 16, 4, 3


@dataclass(frozen=True, slots=True)
class Place:
    number: int
    build: Builder
    ways: Mapping[str, Way]


def populate(state: State, *, seed: int, now: datetime) -> None:
    """Fill an empty state; the same seed and time give the same company."""
    dice = random.Random(seed)  # noqa: S311  # a company, no secret
    for number, name in ACCOUNTS.items():
        state.accounts[number] = {
            "Name": name,
            "RoleArn": f"arn:aws:iam::{number}:role/amiportal",
            "ExternalId": f"northwind-{number[:4]}",
            "RecycleBin": number == CORE_PROD,
            "IsManagement": number == MANAGEMENT,
        }
    offered = {region: _publish(state, region, now) for region in REGIONS}
    builds = [
        Builder(Scope(state, account, region), dice, now, position, offered[region])
        for position, account in enumerate(ACCOUNTS)
        for region in REGIONS
    ]
    places = [Place(n, build, ways(_origin(build, builds))) for n, build in enumerate(builds)]
    for place in places:
        _fill(place)
    _golden(next(build for build in builds if build.scope.account == DEV_SANDBOX))
    _buy(places)
    # With dice of its own: what is there stays as it is.
    bind([build.scope for build in builds], random.Random(f"bonds {seed}"))  # noqa: S311


def _origin(build: Builder, builds: Sequence[Builder]) -> Builder:
    """Return another account of the region, from which images are copied."""
    wanted = MANAGEMENT if build.scope.account == SHARED_IMAGES else SHARED_IMAGES
    here = [other for other in builds if other.scope.region == build.scope.region]
    return next(other for other in here if other.scope.account == wanted)


def _publish(state: State, region: str, now: datetime) -> dict[str, Thing]:
    """Let the vendors offer their images in a region; return them by their code."""
    found = {}
    for usage_operation, base in BASES.items():
        dice = random.Random(crc32(f"{region} {base.name}".encode()))  # noqa: S311
        build = Builder(Scope(state, base.owner_id, region), dice, now, 0, {})
        image = build.image(base.name, usage_operation, 400)
        image.update({"Public": True, "Tags": []})
        if base.alias:
            image["ImageOwnerAlias"] = base.alias
        build.root(image, usage_operation, "", "vol-ffffffff", 400)
        found[usage_operation] = image
    return found


def _fill(place: Place) -> None:
    build, dice = place.build, place.build.dice
    name, usage_operation = RARE[place.number % len(RARE)]
    rare = build.created(name, usage_operation, dice.randint(1, 700))
    weights = [often for _, _, often in KINDS]
    images = [
        build.created(name, usage_operation, dice.randint(1, 700))
        for name, usage_operation, _ in dice.choices(KINDS, weights, k=IMAGES_A_SCOPE)
    ]
    _mark(place, images)
    images += [build.marketplace(f"rhel9-marketplace-{dice.randint(1, 99)}")]
    images += [*_odd(place), *_lost(place), rare]
    usable = [image for image in images if image["State"] == "available"]
    dice.shuffle(usable)
    build.launched(rare, dice.choice(TYPES), 0, is_steady=True)
    for number in range(INSTANCES_A_SCOPE):
        # Few images run much, as in life.
        image = usable[int(len(usable) * dice.random() ** 2)]
        build.launched(image, dice.choice(TYPES), number)
    for name, usage_operation, _ in dice.choices(KINDS, weights, k=3):
        build.orphan(name, usage_operation, dice.choice(TYPES))
    _back_up(build)


def _mark(place: Place, images: Sequence[Thing]) -> None:
    """Disable one image, deprecate two, and here and there give one hostile words."""
    build = place.build
    images[0]["State"] = "disabled"
    images[1]["DeprecationTime"] = build.ago(90)
    images[2]["DeprecationTime"] = text(build.now + timedelta(days=60))
    if place.number < len(HOSTILE):
        words = HOSTILE[place.number]
        images[3]["Description"] = words
        images[3]["Tags"] = [{"Key": "Name", "Value": words[:256]}]
        machine = build.launched(images[3], "m5.large", 1)
        machine["Tags"][0]["Value"] = words[:256]
    if place.number < len(ODD_NAMES):
        name = ODD_NAMES[place.number][:128]
        images[4].update({"Name": name, "ImageLocation": f"{build.scope.account}/{name}"})


def _odd(place: Place) -> list[Thing]:
    """Codes that are wrong without being lost, and a licence that was changed on a machine."""
    build, number = place.build, place.number
    if number % 4 == 0:
        return [halved(build, number)]
    if number % 4 == 1:
        return [reused(build, number)]
    if number % 4 == 2:  # noqa: PLR2004
        image = build.created("api-ubuntu-22.04-{date}", "RunInstances", 200)
        machine = build.launched(image, "m5.large", 900, is_steady=True)
        converted(machine, "RunInstances:0g00", build.ago(1))
    return []


def _lost(place: Place) -> list[Thing]:
    """Images whose code was lost, each in another way."""
    build, dice = place.build, place.build.dice
    found = []
    for word, lose in place.ways.items():
        pattern, usage_operation, _ = dice.choice(LICENSED)
        name = f"{pattern.format(word=word)}-{dice.randint(100, 999)}"
        found.append(lose(build, name, usage_operation, dice.randint(5, 300)))
    if place.number % 3 == 0:
        emptied(found[1])
    return found


def _back_up(build: Builder) -> None:
    """Snapshots that a policy takes every night; no image is made of them."""
    machines = list(build.scope.mine("instances"))
    for machine in build.dice.sample(machines, 10):
        volume_id = machine["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
        description = "Created for policy: policy-0a1b2c3d4e5f60718 schedule: Daily"
        build.snapshot(machine["UsageOperation"], description, volume_id, 1)


def _golden(build: Builder) -> None:
    """The two snapshots of the demo: one whose code survives, one whose code is lost."""
    code = "RunInstances:0010"
    for name, kept in (("golden-rhel9-root", code), ("golden-rhel9-surrogate", None)):
        volume_id = build.machine(code, 60)["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
        snapshot = build.snapshot(kept, f"{name}, taken by hand", volume_id, 3)
        snapshot["Tags"] = [{"Key": "Name", "Value": name}]


def _buy(places: Sequence[Place]) -> None:
    """Buy for what runs; some too much, some for what lost its code, some in vain."""
    builds = [place.build for place in places]
    state = builds[0].scope.state.things["reserved_instances"]
    for place in places[4 : 4 + FLEETS]:
        word, lose = list(place.ways.items())[place.number // 4 % len(place.ways)]
        lost_fleet(place.build, word, lose, place.number - 4)
    bought_wrong(builds[:9])
    for build in builds[-VAIN:]:
        bought_in_vain(build)
    for number in range(ELSEWHERE):
        used_elsewhere(builds[4 + number], builds[8 + number])
    for number, (build, kind, code, count) in enumerate(_groups(builds)):
        if len(state) > PURCHASES:  # the one more is what was modified
            break
        more = build.dice.randint(1, 3) if number % 5 == 0 else 0
        zone = 0 if number % 7 == 3 else None  # noqa: PLR2004
        buy(build, kind, count + more, code, Terms(zone=zone))


def _groups(builds: Sequence[Builder]) -> list[tuple[Builder, str, str, int]]:
    """Find what runs much and can be bought for, with the number to buy; the most first.

    Of each scope what runs most without a licence, and what runs most with one.
    """
    plain, licensed = [], []
    for build in builds:
        counts = [
            (build, kind, code, max(1, number * 2 // 3))
            for (kind, code), number in _counts(build).most_common()
        ]
        plain += [group for group in counts if group[2] == PLAIN][:1]
        licensed += [group for group in counts if group[2] in PLATFORMS.keys() - {PLAIN}][:1]
    for groups in (plain, licensed):
        groups.sort(key=lambda group: -group[3])
    return list(chain.from_iterable(zip(plain, licensed, strict=False)))


def _counts(build: Builder) -> Counter[tuple[str, str]]:
    return Counter(
        (instance["InstanceType"], instance["UsageOperation"])
        for instance in build.scope.mine("instances")
        if instance["InstanceType"] in TYPES
        and instance["State"]["Name"] == "running"
        and "InstanceLifecycle" not in instance
    )
