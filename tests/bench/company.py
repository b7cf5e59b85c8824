"""A mirror as large as a large company's, written straight into the tables."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model

from registry.models import Account, Image, Instance, ReservedInstance, Snapshot, Touched, Volume

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
ACCOUNTS, REGIONS = 100, ("eu-west-1", "us-east-1", "eu-central-1", "us-west-2")
RHEL, SUSE, WINDOWS, PLAIN = (
    *("RunInstances:0010", "RunInstances:000g", "RunInstances:0002"),
    "RunInstances",
)
KINDS = (
    *(("rhel9-base", RHEL), ("sles15-base", SUSE), ("win2022-base", WINDOWS)),
    *((f"al2023-{role}", PLAIN) for role in ("web", "api", "batch", "data")),
)
TYPES = ("m5.large", "m5.xlarge", "c5.xlarge", "r5.2xlarge", "t3.medium")
PLATFORMS = {
    RHEL: "Red Hat Enterprise Linux",
    SUSE: "SUSE Linux",
    WINDOWS: "Windows",
    PLAIN: "Linux/UNIX",
}
CHAIN = 8  # images of one descent: built on one another, the last copied
LOST_EVERY = 50
BATCH = 5_000
_M = TypeVar("_M", bound=Model)


@dataclass(frozen=True)
class Size:
    images: int
    instances: int
    purchases: int


def fill(size: Size) -> None:
    """Write a mirror of that size; the same one each time."""
    dice = random.Random(1)  # noqa: S311  # a company, no secret
    accounts = [
        Account(number=f"{n:012d}", name=f"account-{n}", payer=f"{n % 4:012d}")
        for n in range(1, ACCOUNTS + 1)
    ]
    Account.objects.bulk_create(accounts)
    images = list(_written(Image, _images(size.images, accounts)))
    _all(Snapshot, (_snapshot(image) for image in images))
    _all(Instance, _instances(size.instances, images, dice))
    _all(Volume, _volumes(images))
    _all(ReservedInstance, _purchases(size.purchases, accounts, dice))
    Touched.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _place(account: Account, region: str, aws_id: str) -> dict[str, Any]:
    seen = {"first_seen_at": AT, "last_seen_at": AT, "digest": "0" * 32}
    return {"account": account, "region": region, "aws_id": aws_id, **seen}


def _images(number: int, accounts: list[Account]) -> Iterator[Image]:
    """Chains of images, each created from an instance of the one before; some lose their code."""
    for n in range(number):
        chain, step = divmod(n, CHAIN)
        name, code = KINDS[chain % len(KINDS)]
        account = accounts[chain % ACCOUNTS]
        region = REGIONS[chain // ACCOUNTS % len(REGIONS)]
        is_copy = step == CHAIN - 1
        is_lost = code != PLAIN and chain % LOST_EVERY == 0 and step >= CHAIN // 2
        yield Image(
            **_place(account, region, f"ami-{n:017x}"),
            name=f"{name}-{chain}-{step}",
            owner_id=account.number,
            state="available",
            architecture="x86_64",
            platform="windows" if code == WINDOWS else "",
            platform_details=PLATFORMS[PLAIN if is_lost else code],
            usage_operation=PLAIN if is_lost else code,
            root_device_name="/dev/xvda",
            root_device_type="ebs",
            root_snapshot_id=f"snap-{n:017x}",
            source_image_id=f"ami-{n - 1:017x}" if is_copy else "",
            source_image_region=region if is_copy else "",
            created_at=AT - timedelta(days=400 - step * 30),
            tags={"Name": f"{name}-{chain}", "team": f"team-{chain % 40}"},
        )


def _snapshot(image: Image) -> Snapshot:
    n = int(image.aws_id.removeprefix("ami-"), 16)
    step = n % CHAIN
    from_instance = f"Created by CreateImage(i-{n - 1:017x}) for {image.aws_id}"
    return Snapshot(
        **_place(image.account, image.region, image.root_snapshot_id),
        description=from_instance if step else "golden",
        volume_id=f"vol-{n - 1:017x}" if step else f"vol-{n:017x}",
        state="completed",
        storage_tier="standard",
        started_at=image.created_at,
    )


def _instances(number: int, images: list[Image], dice: random.Random) -> Iterator[Instance]:
    for n in range(number):
        image = images[n % len(images)]
        yield Instance(
            **_place(image.account, image.region, f"i-{n:017x}"),
            state="running" if n % 10 else "stopped",
            instance_type=dice.choice(TYPES),
            image_id=image.aws_id,
            availability_zone=f"{image.region}a",
            availability_zone_id=f"{image.region}-az1",
            tenancy="default",
            architecture="x86_64",
            platform_details=image.platform_details,
            usage_operation=image.usage_operation,
            usage_operation_updated_at=image.created_at,
            root_device_name="/dev/xvda",
            volumes={"/dev/xvda": f"vol-{n:017x}"},
            launched_at=image.created_at,
            tags={"Name": f"host-{n}"},
        )


def _volumes(images: list[Image]) -> Iterator[Volume]:
    for n, image in enumerate(images):
        yield Volume(
            **_place(image.account, image.region, f"vol-{n:017x}"),
            state="in-use",
            snapshot_id=image.root_snapshot_id,
            attachments=[{"instance_id": f"i-{n:017x}", "device": "/dev/xvda"}],
        )


def _purchases(
    number: int, accounts: list[Account], dice: random.Random
) -> Iterator[ReservedInstance]:
    for n in range(number):
        account, region = accounts[n % ACCOUNTS], REGIONS[n // ACCOUNTS % len(REGIONS)]
        yield ReservedInstance(
            **_place(account, region, f"00000000-0000-4000-8000-{n:012d}"),
            instance_type=dice.choice(TYPES),
            instance_count=dice.randint(1, 12),
            product_description=PLATFORMS[KINDS[n % len(KINDS)][1]],
            tenancy="default",
            scope="Region",
            offering_class="standard",
            offering_type="No Upfront",
            start_at=AT - timedelta(days=100),
            end_at=AT + timedelta(days=265),
            duration=31_536_000,
            fixed_price=Decimal(0),
            usage_price=Decimal(0),
            recurring_hourly=Decimal("0.05"),
            currency="USD",
            state="active",
        )


def _written(model: type[_M], rows: Iterator[_M]) -> Iterator[_M]:
    while batch := list(islice(rows, BATCH)):
        yield from model._default_manager.bulk_create(batch)


def _all(model: type[_M], rows: Iterable[_M]) -> None:
    for _ in _written(model, iter(rows)):
        pass
