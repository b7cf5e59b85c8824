"""What a Reserved Instance costs for each hour of its term, used or not."""

from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

NO_UPFRONT = "No Upfront"
# Offerings of which nothing is paid upfront; the empty one was never recorded.
_HOURLY_ONLY = (NO_UPFRONT, "")
# Offerings of old that charge the usage price only for the hours in which they are used.
_CHARGED_BY_USE = ("Light Utilization", "Medium Utilization")
_A_DAY = 86_400
HOURS_A_MONTH = 730
DEAREST = 10**12  # more than a column holds; no real purchase comes near
_CENT = Decimal("0.01")


def hourly_cost(
    *,
    fixed_price: Decimal | None,
    usage_price: Decimal | None,
    recurring_hourly: Decimal | None,
    seconds: int | None,
    offering_type: str,
    is_used: bool = True,
) -> Decimal | None:
    """Return the effective price of one Reserved Instance and hour; None where it is not known.

    That of an hour in which it is used; of one in which it is idle, offerings of old cost less.

    A purchase that was modified shows a fixed price of 0 although something was paid upfront: its
    cost is not 0, it is not known unless it is traced.
    """
    hourly = charged_hourly(usage_price, recurring_hourly, offering_type, is_used=is_used)
    if fixed_price is None or hourly is None:
        return None
    if not fixed_price:
        return hourly if hourly and offering_type in _HOURLY_ONLY else None
    if seconds is None or seconds <= 0:
        return None
    return fixed_price * 3600 / seconds + hourly


def charged_hourly(
    usage_price: Decimal | None,
    recurring_hourly: Decimal | None,
    offering_type: str,
    *,
    is_used: bool,
) -> Decimal | None:
    """Return what of that is charged hour by hour, beside what was paid upfront."""
    if usage_price is None or recurring_hourly is None:
        return None
    is_charged = is_used or offering_type not in _CHARGED_BY_USE
    return usage_price + recurring_hourly if is_charged else recurring_hourly


def term(duration: int | None, lasts: int | None) -> int | None:
    """Return the seconds over which a fixed price is spread.

    Of a purchase that was modified or bought from a reseller only the time from its start to its
    end is its own; a second or a leap day between that and the duration is no difference.
    """
    if duration is None or lasts is None:
        return lasts if duration is None else duration
    return duration if abs(duration - lasts) <= _A_DAY else lasts


def hourly(cost: Decimal | Fraction | None) -> Decimal | None:
    """Return a cost of an hour as it is stored, to 8 places; None where it is not known."""
    if cost is None:
        return None
    exact = Fraction(cost)
    if abs(exact) >= DEAREST:
        return None
    return Decimal(round(exact * 10**8)).scaleb(-8)


def monthly(cost: Decimal | None) -> Decimal | None:
    """Return a cost of an hour for a month of 730 hours, in cents; None where it is not known.

    It is rounded once, half to even, from the cost as it is stored.
    """
    stored = hourly(cost)
    return None if stored is None else (stored * HOURS_A_MONTH).quantize(_CENT, ROUND_HALF_EVEN)
