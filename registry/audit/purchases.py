"""What is wrong with a purchase, as findings see it."""

from registry.billing.coverage import PurchaseUse
from registry.billing.rules import Violation

TITLES = {
    "not_active": "Not active",
    "wrong_platform": "Billing code differs",
    "wrong_size_not_flexible": "Size differs",
    "wrong_tenancy": "Tenancy differs",
    "wrong_az": "Zone differs",
    "other_account_sharing_off": "Account not shared",
    "not_running": "Instances are stopped",
    "over_bought": "More bought than runs",
    "no_instance_of_type": "No such instance runs",
}
_REMEDIES = {
    "wrong_platform": (
        (
            "Check the AMIs of the named instances. If one lost its code, create it again with "
            "CreateImage and replace the instances."
        ),
        (
            "If the purchase is for the wrong platform, exchange it (convertible) or sell it "
            "(standard)."
        ),
    ),
    "wrong_size_not_flexible": (
        "Run the size that was bought: for this platform or family, size can't flex.",
    ),
    "wrong_tenancy": ("Run the instances with the tenancy of the purchase.",),
    "wrong_az": ("Change the scope of the purchase to the region. That is free.",),
    "other_account_sharing_off": (
        "Turn on sharing of Reserved Instances for both accounts in the payer's billing settings.",
    ),
    "not_running": ("Start the instances, or sell or exchange the purchase.",),
    "over_bought": ("Sell or exchange what is too much, or launch new work on it.",),
    "no_instance_of_type": ("Sell or exchange the purchase, or launch new work on it.",),
}


def check(use: PurchaseUse) -> tuple[Violation, ...]:
    """Return what a purchase breaks: RI001 for a code that differs, RI002 for other causes."""
    codes = [reason.code for reason in use.reasons]
    if not use.idle or "not_active" in codes or not codes:
        return ()
    rule = "RI001" if "wrong_platform" in codes else "RI002"
    return (
        Violation(
            rule,
            "high" if rule == "RI001" else "medium",
            f"Reserved Instances idle: {TITLES[codes[0]].lower()}",
            _message(use),
            tuple(step for code in codes for step in _REMEDIES[code]),
        ),
    )


def _message(use: PurchaseUse) -> str:
    bought = use.used + use.idle
    said = f"{_number(use.idle)} of {_number(bought)} Reserved Instances pay for nothing."
    near = [reason for reason in use.reasons if reason.instance_ids]
    if not near:
        return said
    first = near[0]
    named = ", ".join(first.instance_ids[:3])
    more = len(first.instance_ids) - 3
    return f"{said} {TITLES[first.code]}: {named}{f' and {more} more' if more > 0 else ''}."


def _number(units: object) -> str:
    return f"{float(units):g}"  # type: ignore[arg-type]
