"""What an audit changes about an image, as rows of its history."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from registry.models import Change, ChangeField, Image

_ARROW = " ← "
_EMPTY = "empty"  # a code that AWS left empty; one that is not known has no brackets
_HOP = re.compile(r"(\S*)(?: \[(.*)\])?")


def judged_changes(image: Image, values: Mapping[str, Any], *, at: datetime) -> list[Change]:
    """Return what the judgment `values` changes about the row `image`, which is not saved here.

    What an image was not judged for has no past: its first lineage is no change, and its first
    verdict and expected code come from None.
    """
    return [
        Change(image=image, field=field, before=before, after=after, at=at)
        for field, before, after in _compared(image, values)
        if before != after
    ]


def _compared(
    image: Image, values: Mapping[str, Any]
) -> Iterator[tuple[ChangeField, str | None, str | None]]:
    expected = image.expected_usage_operation
    yield ChangeField.EXPECTED, expected, values["expected_usage_operation"]
    yield ChangeField.VERDICT, image.verdict or None, values["verdict"]
    if image.verdict:
        yield ChangeField.LINEAGE, chain(image.lineage), chain(values["lineage"])


def chain(hops: Sequence[Mapping[str, Any]]) -> str:
    """Return a lineage as ids, the newest first, each with its code in brackets where known."""
    return _ARROW.join(_link(hop["aws_id"], hop.get("usage_operation")) for hop in reversed(hops))


def links(text: str) -> list[tuple[str, str | None]]:
    """Return the ids and codes of a chain, in its order; what cannot be read has no code."""
    found = (_HOP.fullmatch(part) for part in text.split(_ARROW) if part)
    return [
        (match[1], "" if match[2] == _EMPTY else match[2]) for match in found if match is not None
    ]


def _link(aws_id: str, code: str | None) -> str:
    return aws_id if code is None else f"{aws_id} [{code or _EMPTY}]"
