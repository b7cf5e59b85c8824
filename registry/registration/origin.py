"""Boot and hardware of what an image is made of: safe defaults, and what to compare it with."""

from collections.abc import Collection, Mapping
from typing import Any

from registry.audit import defaults
from registry.models import Method, Registration, Snapshot

# CreateImage and CopyImage take these over by themselves.
_FILLED = frozenset({Method.SNAPSHOT, Method.MANIFEST})


def hardware_of_origin(registration: Registration) -> Mapping[str, tuple[Any, str]]:
    """Return, by field, what the source has, and the id of the thing that shows it.

    What is not known is not there.
    """
    return defaults(**source_of(registration))


def source_of(registration: Registration) -> dict[str, Any]:
    """Return where and what a registration is made of, as the mirror is asked for it."""
    return {
        "account": registration.account,
        "region": registration.region,
        "method": registration.method,
        "snapshot_id": registration.snapshot_id,
        "instance_id": registration.source_instance_id,
        "image_id": registration.source_image_id,
        "source_region": registration.source_region,
    }


def fill(registration: Registration, *, given: Collection[str]) -> dict[str, str]:
    """Take over what nobody gave; return, by field, the id from which it was read.

    What another account has is taken over from nowhere: nobody asked whether it may be read.
    """
    read_from = {}
    if registration.method not in _FILLED or not _has_source(registration):
        return {}
    for field, (value, aws_id) in hardware_of_origin(registration).items():
        if field not in given:
            setattr(registration, field, value)
            read_from[field] = aws_id
    return read_from


def _has_source(registration: Registration) -> bool:
    """Say whether the snapshot, where one is needed, is one of the account."""
    rows = Snapshot.objects.present().filter(
        account=registration.account, region=registration.region, aws_id=registration.snapshot_id
    )
    return registration.method != Method.SNAPSHOT or rows.exists()
