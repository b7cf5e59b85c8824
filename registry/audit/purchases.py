"""What is wrong with a purchase, as findings see it."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from registry.audit.effects import Corrected, wrong_instances
from registry.audit.fleet import Fleet
from registry.billing.codes import reserved_platform
from registry.billing.coverage import PurchaseUse
from registry.billing.idle import Reason
from registry.billing.rules import Violation
from registry.billing.trend import GONE, UNCLEAR
from registry.models import ReservedInstance

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
        "Of no AMI of the named instances is it known that it lost this code.",
        (
            "If the purchase is for the wrong platform, exchange it (convertible) or sell it "
            "(standard)."
        ),
    ),
    "wrong_size_not_flexible": (
        (
            "Run the size that was bought: as things are, size can't flex. That of a zonal "
            "purchase for Linux/UNIX may, once its scope is the region."
        ),
    ),
    "wrong_tenancy": ("Run the instances with the tenancy of the purchase.",),
    "wrong_az": ("Change the scope of the purchase to the region. That is free.",),
    "other_account_sharing_off": (
        (
            "Turn on sharing of Reserved Instances for both accounts in the payer's billing "
            "settings; where groups are restricted, put both into one."
        ),
    ),
    "not_running": ("Start the instances, or sell or exchange the purchase.",),
    "over_bought": ("Sell or exchange what is too much, or launch new work on it.",),
    "no_instance_of_type": ("Sell or exchange the purchase, or launch new work on it.",),
}
LOST = "AMI lost its code"
_WORDS = TITLES | {GONE: "Gone", UNCLEAR: "State not recorded"}


def in_words(codes: Iterable[str], *, is_lost: bool = False) -> list[str]:
    """Return why something stayed idle, or counts as neither.

    `is_lost` says that it is known of an AMI that it lost the code. Of earlier audits it is not.
    """
    words = _WORDS | {"wrong_platform": LOST} if is_lost else _WORDS
    return [words.get(code, code) for code in codes]


def lost_codes(fleet: Fleet, images: Iterable[Corrected]) -> dict[str, Corrected]:
    """Return the running instances with a wrong code of their image, and that image."""
    return {aws_id: image for image in images for aws_id in wrong_instances(fleet, image)}


def elsewhere(fleet: Fleet, row: ReservedInstance, use: PurchaseUse) -> frozenset[str]:
    """Return the instances named as nearest that are not of the purchase's own account."""
    machines, own = fleet.situation.machines, row.account.number
    named = (name for reason in use.reasons for name in reason.instance_ids)
    return frozenset(name for name in named if machines[name].account != own)


def check(
    use: PurchaseUse,
    platform: str = "",
    lost: Mapping[str, Corrected] | None = None,
    others: Collection[str] = (),
) -> tuple[Violation, ...]:
    """Return what a purchase breaks: RI001 for a code that differs, RI002 for other causes.

    `lost` are instances with a wrong code of their image. Where that should have carried one that
    purchases of `platform` pay for, it lost its code: that is the graver, for a license may lack as
    well. Else the purchase may be for the wrong platform, which wastes money as other causes do.

    Whoever may read the purchase reads this: `others`, which are of other accounts, are counted and
    not named, nor are their images.
    """
    codes = [reason.code for reason in use.reasons]
    if not use.idle or "not_active" in codes or not codes:
        return ()
    named = _named_lost(use.reasons, platform, lost or {})
    rule = "RI001" if "wrong_platform" in codes else "RI002"
    cause = LOST if named else TITLES[codes[0]]
    return (
        Violation(
            rule,
            "high" if named else "medium",
            f"Reserved Instances idle: {cause if cause == LOST else cause.lower()}",
            _message(use, named, others),
            tuple(_steps(codes, platform, _own(named, others) if named else None)),
        ),
    )


def _named_lost(
    reasons: Iterable[Reason], platform: str, lost: Mapping[str, Corrected]
) -> dict[str, str]:
    """Return the named instances whose image lost the code of a platform, and that image."""
    named = (
        name
        for reason in reasons
        for name in reason.instance_ids
        if reason.code == "wrong_platform" and name in lost
    )
    return {
        name: lost[name].aws_id
        for name in named
        if reserved_platform(lost[name].expected_usage_operation) == platform
    }


def _own(lost: Mapping[str, str], others: Collection[str]) -> list[str]:
    """Return the images of the instances that may be named, each once."""
    return list(dict.fromkeys(image for name, image in lost.items() if name not in others))


def _steps(codes: Iterable[str], platform: str, images: list[str] | None) -> list[str]:
    """Return what to do; `images` are those that lost the code and may be named. None: none did."""
    steps = [
        step
        for code in codes
        if images is None or code != "wrong_platform"
        for step in _REMEDIES[code]
    ]
    if images is None:
        return steps
    which = _some(images) if images else "the AMI"
    return [
        f"Create {which} again with CreateImage from an instance that is billed as {platform}.",
        "Replace the instances that were launched from it. An instance keeps its code.",
        *steps,
    ]


def _message(use: PurchaseUse, lost: Mapping[str, str], others: Collection[str]) -> str:
    bought = use.used + use.idle
    said = f"{_number(use.idle)} of {_number(bought)} Reserved Instances pay for nothing."
    if lost:
        images = _own(lost, others)
        whose = f"{_some(images)}, of" if images else "that of"
        return f"{said} {LOST}: {whose} {_instances(list(lost), others)}."
    near = [reason for reason in use.reasons if reason.instance_ids]
    if not near:
        return said
    named = _instances(near[0].instance_ids, others)
    return f"{said} {TITLES[near[0].code]}: {named}."


def _instances(names: Sequence[str], others: Collection[str]) -> str:
    own = [name for name in names if name not in others]
    number = len(names) - len(own)
    where = "another account" if number == 1 else "other accounts"
    if own:
        return f"{_some(own)}; {number} in {where}" if number else _some(own)
    return f"{number} instance{'s' if number > 1 else ''} in {where}"


def _some(names: Sequence[str]) -> str:
    more = len(names) - 3
    return f"{', '.join(names[:3])}{f' and {more} more' if more > 0 else ''}"


def _number(units: object) -> str:
    return f"{float(units):g}"  # type: ignore[arg-type]
