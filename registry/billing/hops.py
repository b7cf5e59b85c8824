"""The way an image came, as a page shows it, and where on it a code was lost."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from registry.billing.codes import could_become, in_order, parts


@dataclass(frozen=True, slots=True)
class Hop:
    """A step of the way; `is_break`: the code was lost on the way here."""

    kind: str
    aws_id: str
    name: str = ""
    detail: str = ""
    usage_operation: str | None = None
    is_gone: bool = False
    is_break: bool = False


def with_breaks(hops: Iterable[tuple[Hop, bool]]) -> Iterator[Hop]:
    """Mark each hop on whose way licences were lost; codes in between may be unknown.

    The hops come oldest first, each with whether its code has changed since it was passed on: such
    a code tells nothing of what follows. A conversion that AWS makes is no loss.
    """
    before: frozenset[str] = frozenset()
    for hop, has_changed in hops:
        now = frozenset() if hop.usage_operation == "" else parts(hop.usage_operation)
        if now is None or has_changed:
            yield hop
            continue
        lost = before - now
        if lost and not could_become(before, now):
            hop = replace(hop, is_break=True, detail=hop.detail or _lost(lost))  # noqa: PLW2901
        before = now
        yield hop


def _lost(licences: frozenset[str]) -> str:
    return f"{' and '.join(in_order(licences))} lost"
