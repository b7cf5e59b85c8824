"""What one change would do, ranked: codes put right, purchases moved, accounts that share."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from registry.audit.effects import Corrected, wrong_instances
from registry.audit.fleet import Fleet
from registry.billing.candidates import to_region, to_share, to_zones
from registry.billing.change import Change, merged
from registry.billing.codes import recorded_code
from registry.billing.counterfactual import Counterfactual, Effect
from registry.billing.rules import CODE_RULES
from registry.models import Finding, ReservedInstance

IMAGE, CAUSE, REGION, ZONE, SHARING = "image", "cause", "region", "zone", "sharing"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change that would let Reserved Instances be used that are idle.

    `name` is the id of an image, of the cause of several or of a purchase, or the number of an
    account. `adds` is what it adds per hour to those before it, so that amounts can be summed up;
    of a cause that is told at its images.
    """

    kind: str
    name: str
    effect: Effect
    adds: Effect | None = None
    zone: str = ""
    images: tuple[str, ...] = ()
    instances: int = 0


@dataclass(frozen=True, slots=True)
class Changes:
    """The proposals at `at`, by money and then by units, and what all would do together."""

    at: datetime
    proposals: tuple[Proposal, ...]
    together: Effect


@dataclass(frozen=True, slots=True)
class _Candidate:
    kind: str
    name: str
    change: Change
    zone: str = ""
    images: tuple[str, ...] = ()


def changes(*, at: datetime) -> Changes:
    """Return each change that would let something be used that is idle."""
    fleet = Fleet.load(at=at)
    asked = Counterfactual(fleet.situation)
    images, causes = _of_images(fleet)
    found = _worthwhile(asked, [*images, *_moves(fleet, asked), *_shares(fleet)])
    added = asked.shares(dict(enumerate(each.change for each in found)))
    every = [*found, *_worthwhile(asked, causes)]
    ranked = asked.effects(dict(enumerate(each.change for each in every)))
    return Changes(
        at,
        tuple(_proposal(every[key], effect, added.get(key)) for key, effect in ranked.items()),
        asked.together(dict(enumerate(each.change for each in found))),
    )


def changes_for(row: ReservedInstance, *, at: datetime) -> tuple[Proposal, ...]:
    """Return each change that would let more of one purchase be used, what uses most first."""
    fleet = Fleet.load(at=at, near=row)
    asked = Counterfactual(fleet.situation)
    images, causes = _of_images(fleet)
    zones = [
        _Candidate(ZONE, aws_id, change, zone)
        for (aws_id, zone), change in to_zones(fleet.situation, asked).items()
        if aws_id == row.aws_id
    ]
    every = [*causes, *images, *_moves(fleet, asked), *zones, *_shares(fleet)]
    ranked = asked.effects(dict(enumerate(each.change for each in every)))
    found = [
        _proposal(every[key], effect)
        for key, effect in ranked.items()
        if row.aws_id in effect.gained
    ]
    return tuple(sorted(found, key=lambda each: -each.effect.gained[row.aws_id]))


def _of_images(fleet: Fleet) -> tuple[list[_Candidate], list[_Candidate]]:
    """Return the correction of each image with a wrong code, and of each cause of several."""
    rows = (
        Finding.objects.open()
        .filter(rule__in=CODE_RULES, image__gone_at=None, image__aws_id__in=list(fleet.running))
        .order_by("pk")
        .values_list(
            *("image__aws_id", "image__usage_operation", "image__platform_details"),
            *("image__expected_usage_operation", "cause"),
        )
    )
    images, of_cause = [], defaultdict(list)
    for aws_id, code, details, expected, cause in rows:
        if expected is None:
            continue
        wrong = Corrected(aws_id, recorded_code(code, details) or "", expected)
        codes = dict.fromkeys(wrong_instances(fleet, wrong), expected)
        images.append(_Candidate(IMAGE, aws_id, Change(codes=codes), images=(aws_id,)))
        of_cause[cause].append(images[-1])
    return images, [
        _Candidate(
            CAUSE,
            cause,
            merged(dict(enumerate(each.change for each in some))),
            images=tuple(each.name for each in some),
        )
        for cause, some in of_cause.items()
        if cause and len(some) > 1
    ]


def _moves(fleet: Fleet, asked: Counterfactual) -> Iterator[_Candidate]:
    for aws_id, change in to_region(fleet.situation, asked).items():
        yield _Candidate(REGION, aws_id, change)


def _shares(fleet: Fleet) -> Iterator[_Candidate]:
    for number, change in to_share(fleet.situation).items():
        yield _Candidate(SHARING, number, change)


def _worthwhile(asked: Counterfactual, candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """Leave what would let something be used, the best first."""
    effects = asked.effects(dict(enumerate(each.change for each in candidates)))
    return [candidates[key] for key, effect in effects.items() if effect.gained]


def _proposal(found: _Candidate, effect: Effect, adds: Effect | None = None) -> Proposal:
    return Proposal(
        kind=found.kind,
        name=found.name,
        effect=effect,
        adds=adds,
        zone=found.zone,
        images=found.images,
        instances=len(found.change.codes),
    )
