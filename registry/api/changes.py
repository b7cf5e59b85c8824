"""Changes that would let idle Reserved Instances be used, as they are answered."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from registry.access import Person, accounts, visible
from registry.audit.answer import money
from registry.audit.changes import CAUSE, IMAGE, Proposal, changes_for
from registry.models import Image, ReservedInstance


def changes_of(row: ReservedInstance, user: Person, *, at: datetime) -> list[dict[str, Any]]:
    """Return what would let more of an active purchase be used, what uses most of it first.

    Left out is what is about something that the person may not read.
    """
    if row.state != "active" or not row.idle_units or row.is_gone:
        return []
    found = changes_for(row, at=at)
    readable = _readable(found, user)
    return [_change(each, row) for each in found if readable >= _about(each)]


def _change(found: Proposal, row: ReservedInstance) -> dict[str, Any]:
    return {
        "kind": found.kind,
        "name": found.name,
        "zone": found.zone or None,
        "images": found.images,
        "instances": found.instances,
        "used": float(found.effect.gained[row.aws_id]),
        "hourly": money(found.effect.hourly),
    }


def _about(found: Proposal) -> set[str]:
    """Name the things that a change is about; a cause may be gone, its images are not."""
    return set(found.images) if found.kind in {IMAGE, CAUSE} else {found.name}


def _readable(found: Iterable[Proposal], user: Person) -> set[str]:
    """Return the ids of things that the person may read, and the numbers of accounts."""
    names = set().union(*map(_about, found))
    images = visible(Image.objects.present().filter(aws_id__in=names), user)
    purchases = visible(ReservedInstance.objects.present().filter(aws_id__in=names), user)
    numbers = accounts(user).filter(number__in=names).values_list("number", flat=True)
    ids = (rows.values_list("aws_id", flat=True) for rows in (images, purchases))
    return set(numbers).union(*ids)
