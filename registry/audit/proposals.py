"""What one change would do, kept by an audit and read by pages."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from django.db import transaction

from registry import models
from registry.billing.counterfactual import Effect
from registry.billing.price import hourly
from registry.billing.proposals import Added, Proposal

BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Changes:
    """The proposals of the audit at `at`, by money and then by units."""

    at: datetime
    proposals: tuple[Proposal, ...]


def keep(proposals: Iterable[Proposal], *, at: datetime) -> None:
    """Put the proposals of an audit in the place of those of the one before."""
    rows = [_row(each, number, at) for number, each in enumerate(proposals, start=1)]
    looked = models.Proposal(audited_at=at, position=0, kind=models.Proposal.TOGETHER)
    with transaction.atomic():
        models.Proposal.objects.all().delete()
        models.Proposal.objects.bulk_create([looked, *rows], batch_size=BATCH)


def last_looked() -> datetime | None:
    """Return the time of the last audit of purchases; None: there was none yet."""
    return models.Proposal.objects.values_list("audited_at", flat=True).first()


def kept() -> Changes | None:
    """Return what the last audit has found; None: none has looked yet."""
    rows = list(models.Proposal.objects.all())
    return Changes(rows[0].audited_at, tuple(_proposals(rows))) if rows else None


def _row(found: Proposal, position: int, at: datetime) -> models.Proposal:
    effect, adds = found.effect, found.adds
    return models.Proposal(
        audited_at=at,
        position=position,
        kind=found.kind,
        name=found.name,
        zone=found.zone,
        images=list(found.images),
        instances=found.instances,
        gained={aws_id: str(units) for aws_id, units in effect.gained.items()},
        lost={aws_id: str(units) for aws_id, units in effect.lost.items()},
        hourly=effect.hourly,
        is_certain=effect.is_certain,
        is_summed=adds is not None,
        adds_units=str(adds.units) if adds else "",
        adds_hourly=hourly(adds.hourly) if adds else None,  # None also where no column holds it
    )


def _proposals(rows: Iterable[models.Proposal]) -> Iterator[Proposal]:
    for row in rows:
        if row.kind != models.Proposal.TOGETHER:
            effect = Effect(_units(row.gained), _units(row.lost), row.hourly, row.is_certain)
            adds = Added(Fraction(row.adds_units), row.adds_hourly) if row.is_summed else None
            images = tuple(row.images)
            yield Proposal(row.kind, row.name, effect, adds, row.zone, images, row.instances)


def _units(texts: dict[str, str]) -> dict[str, Fraction]:
    return {aws_id: Fraction(units) for aws_id, units in texts.items()}
