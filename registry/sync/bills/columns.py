"""The columns of a report, under the one name that all its formats share.

The same column is `lineItem/UsageAmount` in CSV, and `line_item_usage_amount` in Parquet and in
CUR 2.0: without capitals and signs they are one word.
"""

import re
from collections.abc import Sequence

from registry.sync.bills.place import BillProblem

# Our name, and the column's of the CSV: without these nothing can be said.
NEEDED = {
    "line_type": "lineItem/LineItemType",
    "product": "lineItem/ProductCode",
    "account": "lineItem/UsageAccountId",
    "usage_type": "lineItem/UsageType",
    "operation": "lineItem/Operation",
    "amount": "lineItem/UsageAmount",
}
# Without these, less.
OPTIONAL = {
    "payer": "bill/PayerAccountId",
    "period": "bill/BillingPeriodStartDate",
    "resource": "lineItem/ResourceId",
    "started": "lineItem/UsageStartDate",
    "ended": "lineItem/UsageEndDate",
    "zone": "lineItem/AvailabilityZone",
    "factor": "lineItem/NormalizationFactor",
    "normalized": "lineItem/NormalizedUsageAmount",
    "cost": "lineItem/UnblendedCost",
    "currency": "lineItem/CurrencyCode",
    "type": "product/instanceType",
    "region": "product/region",
    "region_code": "product/regionCode",
    "arn": "reservation/ReservationARN",
    "reserved_cost": "reservation/EffectiveCost",
    "plan_cost": "savingsPlan/SavingsPlanEffectiveCost",
    "unused": "reservation/UnusedQuantity",
    "unused_normalized": "reservation/UnusedNormalizedUnitQuantity",
    "unused_recurring": "reservation/UnusedRecurringFee",
    "unused_upfront": "reservation/UnusedAmortizedUpfrontFeeForBillingPeriod",
}
_SIGNS = re.compile(r"[^a-z0-9]")


def positions(header: Sequence[str]) -> dict[str, int]:
    """Return where each column that we know is; BillProblem where a needed one is missing."""
    there: dict[str, int] = {}
    for position, name in enumerate(header):
        there.setdefault(_word(name), position)
    found = {
        ours: there[_word(theirs)]
        for ours, theirs in (NEEDED | OPTIONAL).items()
        if _word(theirs) in there
    }
    missing = [theirs for ours, theirs in NEEDED.items() if ours not in found]
    if missing:
        raise BillProblem(f"these columns are missing: {', '.join(missing)}.")
    return found


def _word(name: str) -> str:
    return _SIGNS.sub("", name.lower())
