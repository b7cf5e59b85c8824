"""The way an image came, as a page shows it, and where on it a code was lost."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from registry.billing.clues import Link
from registry.billing.codes import could_become, in_order, parts
from registry.billing.conversion import is_listed


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


@dataclass(frozen=True, slots=True)
class Passed:
    """A hop as the walk passed it: the link, where it carries a code, and its product codes."""

    hop: Hop
    link: Link | None = None
    product_codes: tuple[str, ...] = ()


def with_breaks(passed: Iterable[Passed]) -> Iterator[Hop]:
    """Mark each hop on whose way licences were lost; codes in between may be unknown.

    The hops come oldest first. A code that has changed since it was passed on tells nothing of
    what follows. One of which nobody knows that is no loss itself, and a witness only of what no
    conversion explains. A conversion that AWS makes is no loss.
    """
    before: frozenset[str] = frozenset()
    unsure: frozenset[str] = frozenset()  # of an instance that may have been converted since
    for one in passed:
        hop, link = one.hop, one.link
        now = licences(hop.usage_operation)
        if now is None or (link and link.has_changed):
            yield hop
            continue
        if link and link.may_have_changed:
            unsure = now
            yield hop
            continue
        lost = _lost_since(before, now)
        if not is_listed(now, unsure, one.product_codes):
            lost |= _lost_since(unsure, now)
        yield replace(hop, is_break=True, detail=hop.detail or _lost(lost)) if lost else hop
        before, unsure = now, frozenset()


@lru_cache(maxsize=1_024)  # of many hops, few codes
def licences(code: str | None) -> frozenset[str] | None:
    """Return the licences of a code; one that AWS left empty has none."""
    return frozenset() if code == "" else parts(code)


def _lost_since(before: frozenset[str], now: frozenset[str]) -> frozenset[str]:
    return frozenset() if could_become(before, now) else before - now


def _lost(licences: frozenset[str]) -> str:
    return f"{' and '.join(in_order(licences))} lost"
