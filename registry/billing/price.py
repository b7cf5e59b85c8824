"""What a Reserved Instance costs for each hour of its term, used or not."""

from decimal import Decimal

_UPFRONT = ("All Upfront", "Partial Upfront")


def hourly_cost(
    *,
    fixed_price: Decimal | None,
    usage_price: Decimal | None,
    recurring_hourly: Decimal | None,
    seconds: int | None,
    offering_type: str,
) -> Decimal | None:
    """Return the effective price of one Reserved Instance and hour; None where it is not known.

    A purchase that was modified shows a fixed price of 0 although something was paid upfront: its
    cost is not known, it is not 0.
    """
    if fixed_price is None or usage_price is None or recurring_hourly is None:
        return None
    if not fixed_price:
        return None if offering_type in _UPFRONT else usage_price + recurring_hourly
    if not seconds:
        return None
    return fixed_price * 3600 / seconds + usage_price + recurring_hourly
