"""Changes in words, for whoever may read what they are about."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from registry.billing.proposals import CAUSE, IMAGE, SHARING, Proposal
from registry.billing.rules import CODE_RULES
from registry.models import Account, Image, ReservedInstance
from registry.models.finding import FindingQuerySet


@dataclass(frozen=True, slots=True)
class Reach:
    """What somebody may read and wants to look at."""

    images: QuerySet[Image]
    findings: FindingQuerySet
    purchases: QuerySet[ReservedInstance]
    accounts: QuerySet[Account]


@dataclass(frozen=True, slots=True)
class Row:
    """A change in words, with the thing that it is about."""

    found: Proposal
    title: str
    address: str
    name: str
    where: str

    @property
    def units(self) -> Fraction:
        return sum(self.found.effect.gained.values(), Fraction(0))

    @property
    def idle(self) -> Fraction:
        """How many others would be idle instead."""
        return sum(self.found.effect.lost.values(), Fraction(0))


@dataclass(frozen=True, slots=True)
class Sum:
    """What some changes do together: units net of those left idle, and money per hour."""

    number: int
    units: Fraction
    hourly: Decimal
    unpriced: int

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "Sum":
        added = [row.found.adds for row in rows if row.found.adds]
        known = [each.hourly for each in added if each.hourly is not None]
        return cls(
            number=len(added),
            units=sum((each.units for each in added), Fraction(0)),
            hourly=sum(known, Decimal(0)),
            unpriced=len(added) - len(known),
        )


@dataclass(frozen=True, slots=True)
class Sums:
    """What all changes do together, and the share of each kind in that."""

    together: Sum
    codes: Sum
    moves: Sum
    sharing: Sum

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "Sums":
        every = list(rows)
        return cls(
            together=Sum.of(every),
            codes=Sum.of(row for row in every if row.found.kind == IMAGE),
            moves=Sum.of(row for row in every if row.found.kind not in {IMAGE, CAUSE, SHARING}),
            sharing=Sum.of(row for row in every if row.found.kind == SHARING),
        )


def rows_of(proposals: Iterable[Proposal], reach: Reach) -> list[Row]:
    """Put into words what is within reach, and still to be done.

    Of a wrong code, that is as long as somebody has to act on its finding; of a purchase, as long
    as it is active; of an account, until it shares.
    """
    every = list(proposals)
    things = _things(every, reach)
    found = (_row(each, things) for each in every)
    return [row for row in found if row]


@dataclass(frozen=True, slots=True)
class _Things:
    images: Mapping[str, Image]
    findings: Mapping[str, str]  # id of an image → address
    purchases: Mapping[str, ReservedInstance]
    accounts: Mapping[str, Account]


def _things(proposals: Iterable[Proposal], reach: Reach) -> _Things:
    images = {name for each in proposals for name in each.images}
    names = {each.name for each in proposals}
    wrong = reach.findings.actionable().filter(image__aws_id__in=images, rule__in=CODE_RULES)
    alone = reach.accounts.filter(reserved_instance_sharing=False)
    shown = ("aws_id", "name", "region", "account__name")
    return _Things(
        images=_by_id(reach.images.filter(aws_id__in=images).only(*shown)),
        findings={
            each.image.aws_id: each.get_absolute_url()
            for each in wrong.select_related("image").only("image__aws_id").order_by("-pk")
            if each.image
        },
        purchases=_by_id(reach.purchases.filter(aws_id__in=names, state="active")),
        accounts={row.number: row for row in alone.filter(number__in=names)},
    )


def _by_id(rows: Any) -> dict[str, Any]:
    return {row.aws_id: row for row in rows.select_related("account")}


def _row(found: Proposal, things: _Things) -> Row | None:
    """Return None where something that the change is about is out of reach."""
    if found.kind == CAUSE:
        return _of_cause(found, things)
    if found.kind == IMAGE:
        return _of_image(found, things)
    if found.kind == SHARING:
        return _of_account(found, things)
    return _of_purchase(found, things)


def _of_image(found: Proposal, things: _Things) -> Row | None:
    image, address = things.images.get(found.name), things.findings.get(found.name)
    if image is None or address is None:
        return None
    where = f"{image.account.name}, {image.region}"
    return Row(found, f"Correct the image {image.aws_id}", address, image.name, where)


def _of_cause(found: Proposal, things: _Things) -> Row | None:
    if not things.images.keys() & things.findings.keys() >= set(found.images):
        return None
    regions = {things.images[name].region for name in found.images}
    where = f"{len(found.images)} images, {len(regions)} region{'s' if len(regions) > 1 else ''}"
    address = f"{reverse('findings:list')}?cause={found.name}"
    return Row(found, f"Correct every image of {found.name}", address, "", where)


def _of_purchase(found: Proposal, things: _Things) -> Row | None:
    bought = things.purchases.get(found.name)
    if bought is None:
        return None
    aim = f"the zone {found.zone}" if found.zone else "the region"
    where = f"{bought.account.name}, {bought.availability_zone or bought.region}"
    title = f"Move {bought} to {aim}"
    return Row(found, title, bought.get_absolute_url(), bought.product_description, where)


def _of_account(found: Proposal, things: _Things) -> Row | None:
    account = things.accounts.get(found.name)
    if account is None:
        return None
    address = reverse("accounts:detail", args=[account.number])
    return Row(found, f"Turn on sharing for {account.name}", address, "", account.number)
