"""The audit's machine-readable answer: a contract, see docs/audit-json.md."""

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db.models import QuerySet

from registry.audit.proposals import kept
from registry.audit.replay import Outcome, Replay, Subject
from registry.audit.told import Reach, rows_of
from registry.billing.proposals import Proposal
from registry.models import Account, Cover, Finding, Image, Instance, ReservedInstance

SCHEMA_VERSION = 1
_PLACE = ("account__number", "region", "aws_id")
# Of an image only what is answered: its lineage and tags are many times as much.
_IMAGE = (
    *("platform_details", "usage_operation", "expected_usage_operation", "expected_platform"),
    *("confidence", "source", "verdict", "missing", "unexpected"),
)


def audit_answer(
    *, account: str | None = None, region: str | None = None, at: datetime
) -> dict[str, Any]:
    """Return the stored judgments of an account and a region, or of all, as the contract says."""
    covers = _covers()
    covered: dict[str, Fraction] = defaultdict(Fraction)
    for some in covers.values():
        for instance_id, share in some:
            covered[instance_id] += share
    running = Instance.objects.present().running().only(*_PLACE)
    broken = _rules("instance")
    return {
        "schema_version": SCHEMA_VERSION,
        "as_of": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "images": _images(account, region),
        "reserved_instances": [
            _purchase(row, covers.get(row.pk, []))
            for row in _within(ReservedInstance.objects.present(), account, region)
        ],
        "instances": [
            {
                "instance_id": row.aws_id,
                "covered": float(covered.get(row.aws_id, 0)),
                "rules": broken[row.pk],
            }
            for row in _within(running, account, region)
        ],
    }


def changes_answer(
    *, account: str | None = None, region: str | None = None
) -> list[dict[str, Any]]:
    """Return what one change in an account and a region would do, as the contract says."""
    found = kept()
    accounts = Account.objects.all()
    reach = Reach(
        images=_within(Image.objects.present(), account, region),
        findings=Finding.objects.all(),
        purchases=_within(ReservedInstance.objects.present(), account, region),
        accounts=accounts.filter(number=account) if account else accounts,
    )
    return [_change(row.found) for row in rows_of(found.proposals if found else (), reach)]


def replay_answer(found: Replay) -> dict[str, Any]:
    """Return what an audit of the images would change, as the contract says."""
    return {
        "schema_version": SCHEMA_VERSION,
        "judged": found.judged,
        "added": [_named(image) | {"rule": rule} for image, rule in found.added],
        "removed": [_named(image) | {"rule": rule} for image, rule in found.removed],
        "changed": [
            _named(one.image) | {"before": _outcome(one.before), "after": _outcome(one.after)}
            for one in found.changed
        ],
    }


def _named(image: Subject) -> dict[str, Any]:
    return {"account": image.account, "region": image.region, "image_id": image.aws_id}


def _outcome(one: Outcome) -> dict[str, Any]:
    return {"verdict": one.verdict or "unknown", "expected": one.expected}


def _within(rows: QuerySet[Any], account: str | None, region: str | None) -> QuerySet[Any]:
    if account:
        rows = rows.filter(account__number=account)
    if region:
        rows = rows.filter(region=region)
    return rows.select_related("account").order_by("account__number", "region", "aws_id")


def _covers() -> dict[int, list[tuple[str, Fraction]]]:
    found: dict[int, list[tuple[str, Fraction]]] = defaultdict(list)
    rows = Cover.objects.order_by("instance__aws_id")
    for pk, instance_id, share in rows.values_list(
        "reserved_instance_id", "instance__aws_id", "share"
    ):
        found[pk].append((instance_id, Fraction(share)))
    return found


def _rules(subject: str) -> dict[int, list[str]]:
    """Return the rules that each image or instance breaks, by primary key."""
    rules: dict[int, list[str]] = defaultdict(list)
    rows = Finding.objects.open().exclude(**{subject: None}).order_by("rule")
    for pk, rule in rows.values_list(f"{subject}_id", "rule"):
        rules[pk].append(rule)
    return rules


def _images(account: str | None, region: str | None) -> list[dict[str, Any]]:
    rules = _rules("image")
    images = Image.objects.present().only(*_PLACE, *_IMAGE)
    return [_image(row, rules[row.pk]) for row in _within(images, account, region)]


def _image(row: Image, rules: list[str]) -> dict[str, Any]:
    return {
        "account": row.account.number,
        "region": row.region,
        "image_id": row.aws_id,
        "platform_details": row.platform_details,
        "usage_operation": row.usage_operation,
        "expected": {
            "usage_operation": row.expected_usage_operation,
            "platform": row.expected_platform,
            "confidence": row.confidence,
            "source": row.source or "none",
        },
        "verdict": row.verdict or "unknown",  # it appeared while the others were judged
        "missing": row.missing,
        "unexpected": row.unexpected,
        "rules": rules,
    }


def _purchase(row: ReservedInstance, covers: list[tuple[str, Fraction]]) -> dict[str, Any]:
    return {
        "account": row.account.number,
        "region": row.region,
        "reserved_instances_id": row.aws_id,
        "platform": row.product_description,
        "count": row.instance_count,
        "used": float(row.used_units or 0),
        "idle": float(row.idle_units or 0),
        "applies": row.applies,
        "reasons": row.reasons,
        "covers": [{"instance_id": name, "fraction": float(share)} for name, share in covers],
        "hourly_cost": money(row.hourly_cost),
        "idle_hourly_cost": money(row.idle_hourly_cost),
    }


def _change(found: Proposal) -> dict[str, Any]:
    effect, adds = found.effect, found.adds
    return {
        "kind": found.kind,
        "name": found.name,
        "images": list(found.images),
        "instances": found.instances,
        "gained": {aws_id: float(units) for aws_id, units in effect.gained.items()},
        "lost": {aws_id: float(units) for aws_id, units in effect.lost.items()},
        "hourly": money(effect.hourly),
        "adds": {"units": float(adds.units), "hourly": money(adds.hourly)} if adds else None,
    }


def money(amount: Decimal | None) -> str | None:
    """Return an amount as decimal text, without an exponent and without idle zeros."""
    if amount is None:
        return None
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
