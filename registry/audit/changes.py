"""What one change would do, ranked: codes put right, purchases moved, accounts that share."""

from collections import defaultdict
from datetime import datetime

from registry.audit.effects import Corrected, wrong_instances
from registry.audit.fleet import Fleet
from registry.billing.candidates import to_zones
from registry.billing.change import Change, merged
from registry.billing.codes import recorded_code
from registry.billing.proposals import (
    CAUSE,
    IMAGE,
    ZONE,
    Candidate,
    Proposal,
    moves_and_shares,
    proposal,
    ranked,
)
from registry.billing.rules import CODE_RULES
from registry.models import Finding, ReservedInstance


def changes(fleet: Fleet) -> tuple[Proposal, ...]:
    """Return each change that would let something be used that is idle, the dearest first."""
    images, causes = _of_images(fleet)
    others = moves_and_shares(fleet.situation, fleet.asked)
    return ranked(fleet.asked, [*images, *others, *causes])


def changes_for(row: ReservedInstance, *, at: datetime) -> tuple[Proposal, ...]:
    """Return each change that would let more of one purchase be used, what uses most first."""
    fleet = Fleet.load(at=at, near=row)
    images, causes = _of_images(fleet)
    zones = [
        Candidate(ZONE, aws_id, change, zone)
        for (aws_id, zone), change in to_zones(fleet.situation, fleet.asked).items()
        if aws_id == row.aws_id
    ]
    others = moves_and_shares(fleet.situation, fleet.asked)
    every = [*causes, *images, *others, *zones]
    effects = fleet.asked.effects(dict(enumerate(each.change for each in every)))
    found = [
        proposal(every[key], effect)
        for key, effect in effects.items()
        if row.aws_id in effect.gained
    ]
    return tuple(sorted(found, key=lambda each: -each.effect.gained[row.aws_id]))


def _of_images(fleet: Fleet) -> tuple[list[Candidate], list[Candidate]]:
    """Return the correction of each image with a wrong code, and of each cause of several.

    What somebody has waived is to stay as it is.
    """
    rows = (
        Finding.objects.actionable()
        .filter(rule__in=CODE_RULES, image__gone_at=None)
        .order_by("pk")
        .values_list(
            *("image__aws_id", "image__usage_operation", "image__platform_details"),
            *("image__expected_usage_operation", "cause"),
        )
    )
    images, of_cause = [], defaultdict(list)
    for aws_id, code, details, expected, cause in rows:
        if expected is None or aws_id not in fleet.running:
            continue
        wrong = Corrected(aws_id, recorded_code(code, details) or "", expected)
        codes = dict.fromkeys(wrong_instances(fleet, wrong), expected)
        images.append(Candidate(IMAGE, aws_id, Change(codes=codes), images=(aws_id,)))
        of_cause[cause].append(images[-1])
    return images, [
        Candidate(
            CAUSE,
            cause,
            merged(dict(enumerate(each.change for each in some))),
            images=tuple(each.name for each in some),
        )
        for cause, some in of_cause.items()
        if cause and len(some) > 1
    ]
