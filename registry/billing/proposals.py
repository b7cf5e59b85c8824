"""Changes that would let Reserved Instances be used that are idle, ranked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from registry.billing.candidates import to_region, to_share
from registry.billing.change import Change
from registry.billing.counterfactual import Counterfactual, Effect
from registry.billing.situation import Situation

IMAGE, CAUSE, REGION, ZONE, SHARING = "image", "cause", "region", "zone", "sharing"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A change that is worth a question; `name` is as that of a proposal."""

    kind: str
    name: str
    change: Change
    zone: str = ""
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Added:
    """What a change adds to those before it: units, and money per hour; None: not known."""

    units: Fraction
    hourly: Decimal | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change that would let Reserved Instances be used that are idle.

    `name` is the id of an image, of the cause of several or of a purchase, or the number of an
    account. `adds` is what it adds to those before it, so that amounts can be summed up; of a
    cause that is told at its images.
    """

    kind: str
    name: str
    effect: Effect
    adds: Added | None = None
    zone: str = ""
    images: tuple[str, ...] = ()
    instances: int = 0


def moves_and_shares(situation: Situation, asked: Counterfactual) -> Iterator[Candidate]:
    """Return the moves of purchases to their region, and the accounts that could share."""
    for aws_id, change in to_region(situation, asked).items():
        yield Candidate(REGION, aws_id, change)
    for number, change in to_share(situation).items():
        yield Candidate(SHARING, number, change)


def ranked(asked: Counterfactual, candidates: Sequence[Candidate]) -> tuple[Proposal, ...]:
    """Return what would let something be used, by money and then by units."""
    effects = asked.effects(dict(enumerate(each.change for each in candidates)))
    found = {key: effect for key, effect in effects.items() if effect.gained}
    added = asked.shares(
        {key: candidates[key].change for key in found if candidates[key].kind != CAUSE}
    )
    return tuple(proposal(candidates[key], effect, added.get(key)) for key, effect in found.items())


def proposal(found: Candidate, effect: Effect, adds: Effect | None = None) -> Proposal:
    return Proposal(
        kind=found.kind,
        name=found.name,
        effect=effect,
        adds=Added(adds.units, adds.hourly) if adds else None,
        zone=found.zone,
        images=found.images,
        instances=len(found.change.codes),
    )
