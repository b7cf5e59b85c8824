"""Which licences AWS converts an instance from and to.

Source: License Manager, the conversions that it lists. Plain Linux becomes RHEL only where Red Hat
sold it: a RHEL that lost its code is not converted.
"""

from collections.abc import Iterable

from registry.billing.codes import RHEL, could_become, parts
from registry.billing.patterns import RED_HAT_MARKETPLACE


def is_listed(
    before: frozenset[str], after: frozenset[str], product_codes: Iterable[str] = ()
) -> bool:
    """Say whether AWS converts an instance with these product codes this way."""
    if not before and RHEL in after and RED_HAT_MARKETPLACE.isdisjoint(product_codes):
        return False
    return could_become(before, after)


def is_convertible(usage_operation: str | None, target: str | None) -> bool:
    """Say whether AWS converts an instance without a product from one code to another.

    Nobody knows what an empty field stands for.
    """
    before, after = parts(usage_operation), parts(target)
    return before is not None and after is not None and is_listed(before, after)
