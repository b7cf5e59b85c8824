"""The verdict: the licences that an image carries beside those that it should carry."""

from collections.abc import Callable, Iterable

from registry.billing.clues import Link
from registry.billing.codes import (
    BROUGHT,
    RHEL_BYOL,
    WINDOWS,
    WINDOWS_BYOL,
    in_order,
    is_known,
    parts,
)
from registry.billing.patterns import RED_HAT_MARKETPLACE
from registry.billing.rules.facts import Comparison, ImageFacts

_MARKETPLACE = "marketplace"


def compare(facts: ImageFacts) -> Comparison:
    """Compare the decoded sets of licences; unknown where either side is.

    A bit of which nobody knows the meaning may be what is missing: then no verdict stands.
    """
    expected, actual = parts(facts.expectation.usage_operation), facts.licences
    if expected is None or actual is None or (not facts.usage_operation and not expected):
        return Comparison("unknown")
    missing, extra = expected - actual, actual - expected
    verdict = _verdict(missing, extra, has_any=bool(actual & expected))
    if not is_known(missing | extra):
        verdict = "unknown"
    elif missing and facts.is_marketplace and _is_sold_so(missing, actual, facts.sold_with):
        verdict = "excused"
    return Comparison(verdict, tuple(in_order(missing)), tuple(in_order(extra)))


def _is_sold_so(missing: frozenset[str], actual: frozenset[str], sold_with: frozenset[str]) -> bool:
    """Say whether sellers on the Marketplace sell what is missing with this code.

    Their Linux is billed as plain or as brought; Windows never is, whoever sells it. A license that
    AWS charges for beside the product code is not theirs: then a plain code has lost it.
    """
    if not actual and missing & sold_with - BROUGHT:
        return False
    return actual <= {RHEL_BYOL} and not missing & {WINDOWS, WINDOWS_BYOL}


def _verdict(missing: frozenset[str], extra: frozenset[str], *, has_any: bool) -> str:
    if missing and extra:
        return "wrong"
    if missing:
        return "partial" if has_any else "lost"
    return "unexpected" if extra else "ok"


def sold_with(
    links: Iterable[Link],
    products: frozenset[str],
    products_of: Callable[[str], frozenset[str]],
) -> frozenset[str]:
    """Return what the nearest source instance is licensed for, if it has one of `products`."""
    link = next((link for link in links if link.kind == "instance"), None)
    if link is None or link.has_changed:
        return frozenset()
    licenses = parts(link.usage_operation)
    # Most images are of no product: then nobody looks what the instance has.
    if not licenses or not products or not products & products_of(link.aws_id):
        return frozenset()
    return licenses


def is_marketplace_code(product_id: str, kind: str) -> bool:
    """Say whether a product code is of the Marketplace; Red Hat's are known also without type."""
    return kind == _MARKETPLACE or (not kind and product_id in RED_HAT_MARKETPLACE)
