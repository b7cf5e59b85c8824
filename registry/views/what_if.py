"""What one change would do about idle purchases, the most useful first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from typing import Any

from django.core.cache import cache
from django.core.paginator import Paginator
from django.db.models import Count, Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from registry.access import accounts
from registry.audit.changes import CAUSE, IMAGE, SHARING, Changes, Proposal, changes
from registry.billing.rules import CODE_RULES
from registry.http import SignedInRequest
from registry.models import Account, Finding, Image, ReservedInstance
from registry.views.shell import findings, narrow

KEPT_SECONDS = 3_600
SHOWN = 50


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
    def of(cls, proposals: Iterable[Proposal]) -> "Sum":
        added = [found.adds for found in proposals if found.adds]
        known = [each.hourly for each in added if each.hourly is not None]
        return cls(
            number=len(added),
            units=sum((each.units for each in added), Fraction(0)),
            hourly=sum(known, Decimal(0)),
            unpriced=len(added) - len(known),
        )


def what_if(request: SignedInRequest) -> HttpResponse:
    found = _last_changes()
    rows = rows_of(request, found.proposals)
    told = [row.found for row in rows]
    page = Paginator(rows, SHOWN).get_page(request.GET.get("page"))
    pages = page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)
    context = {
        "section": "reserved-instances",
        "at": found.at,
        "rows": page.object_list,
        "page_obj": page,
        "pages": list(pages),
        "together": Sum.of(told),
        "codes": Sum.of(each for each in told if each.kind == IMAGE),
        "sharing": Sum.of(each for each in told if each.kind == SHARING),
        "moves": Sum.of(each for each in told if each.kind not in {IMAGE, CAUSE, SHARING}),
    }
    return render(request, "registry/what_if.html", context)


def rows_of(request: HttpRequest, proposals: Iterable[Proposal]) -> list[Row]:
    """Put into words what is about things within the scope of the person."""
    every = list(proposals)
    things = _things(request, every)
    found = (_row(each, things) for each in every)
    return [row for row in found if row]


@dataclass(frozen=True, slots=True)
class _Things:
    images: Mapping[str, Image]
    findings: Mapping[str, Finding]
    purchases: Mapping[str, ReservedInstance]
    accounts: Mapping[str, Account]


def _things(request: HttpRequest, proposals: list[Proposal]) -> _Things:
    images = {name for each in proposals for name in each.images}
    names = {each.name for each in proposals}
    chosen = request.session.get("scope", {}).get("accounts")
    members = accounts(request.user).filter(number__in=names)
    if chosen:
        members = members.filter(number__in=chosen)
    wrong = findings(request).open().filter(image__aws_id__in=images, rule__in=CODE_RULES)
    return _Things(
        images=_by_id(narrow(request, Image.objects.present()).filter(aws_id__in=images)),
        findings={each.image.aws_id: each for each in wrong.for_list() if each.image},
        purchases=_by_id(
            narrow(request, ReservedInstance.objects.present()).filter(aws_id__in=names)
        ),
        accounts={account.number: account for account in members},
    )


def _by_id(rows: Any) -> dict[str, Any]:
    return {row.aws_id: row for row in rows.select_related("account")}


def _row(found: Proposal, things: _Things) -> Row | None:
    """Return None where something that the change is about is not in the scope."""
    if found.kind == CAUSE:
        return _of_cause(found, things)
    if found.kind == IMAGE:
        return _of_image(found, things)
    if found.kind == SHARING:
        return _of_account(found, things)
    return _of_purchase(found, things)


def _of_image(found: Proposal, things: _Things) -> Row | None:
    image, finding = things.images.get(found.name), things.findings.get(found.name)
    if image is None or finding is None:
        return None
    where = f"{image.account.name}, {image.region}"
    title = f"Correct the image {image.aws_id}"
    return Row(found, title, finding.get_absolute_url(), image.name, where)


def _of_cause(found: Proposal, things: _Things) -> Row | None:
    if not things.images.keys() >= set(found.images):
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


def _last_changes() -> Changes:
    """Return the changes, which are reckoned once for each audit."""
    key = f"changes:{_state()}"
    found: Changes | None = cache.get(key)
    if found is None:
        found = changes(at=timezone.now())
        cache.set(key, found, KEPT_SECONDS)
    return found


def _state() -> str:
    """Name what the changes depend on: another name, and they are reckoned again."""
    judged = ReservedInstance.objects.present().aggregate(at=Max("judged_at"), number=Count("pk"))
    wrong = Finding.objects.open().filter(rule__in=CODE_RULES)
    checked = wrong.aggregate(at=Max("checked_at"), number=Count("pk"))
    owners = Account.objects.order_by("pk").values_list(
        *("number", "payer", "reserved_instance_sharing", "sharing_group", "is_group_restricted")
    )
    return sha256(repr((judged, checked, list(owners))).encode()).hexdigest()
