"""What can be done about a purchase that stays idle, the best first, under AWS's conditions.

Source: EC2 User Guide on modifying, exchanging and selling Reserved Instances, and License Manager
on converting licenses.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from registry.billing.codes import TABLE, label
from registry.billing.conversion import is_convertible
from registry.billing.normalization import is_flexible

LEFT_TO_EXCHANGE = timedelta(hours=24)
ACTIVE_TO_SELL = timedelta(days=30)
LEFT_TO_SELL = timedelta(days=30)  # AWS says: one month
# Regions that an account must opt in to; the list grows.
OPT_IN_REGIONS = frozenset(
    {"af-south-1", "ap-east-1", "ap-east-2", "ap-south-2", "ap-southeast-3", "ap-southeast-4"}
    | {"ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-west-1", "eu-central-2"}
    | {"eu-south-1", "eu-south-2", "il-central-1", "me-central-1", "me-south-1", "mx-central-1"}
)


@dataclass(frozen=True, slots=True)
class IdlePurchase:
    """A purchase of which a part is idle, and what is known of the cause.

    `lost_images`: those of the nearest instances that lost the code of its platform, as far as they
    may be named; `lost_elsewhere` counts the others. `near_codes`: those of the nearest instances
    that carry another platform; None: not recorded.
    """

    platform: str
    instance_type: str
    region: str
    is_regional: bool
    tenancy: str
    offering_class: str
    start: datetime | None
    end: datetime | None
    causes: tuple[str, ...]
    lost_images: tuple[str, ...] = ()
    lost_elsewhere: int = 0
    near_codes: frozenset[str | None] = frozenset()


@dataclass(frozen=True, slots=True)
class Remedy:
    """Something to do, and why it can be done or not; None: that is not known."""

    code: str
    title: str
    is_possible: bool | None
    why: str


def remedies(idle: IdlePurchase, *, at: datetime) -> tuple[Remedy, ...]:
    """Return what speaks to the causes, and what is always left; the impossible comes last."""
    found = [*_for_causes(idle), _run(idle), _exchange(idle, at), _sell(idle, at), _expire(idle)]
    return tuple(sorted(found, key=lambda remedy: remedy.is_possible is False))


def _for_causes(idle: IdlePurchase) -> Iterator[Remedy]:
    if "wrong_platform" in idle.causes:
        yield _correct(idle)
        yield _convert(idle)
    if "wrong_az" in idle.causes or "wrong_size_not_flexible" in idle.causes:
        yield _modify(idle)
    if "other_account_sharing_off" in idle.causes:
        yield Remedy(
            "share",
            "Turn on sharing for both accounts",
            True,
            "The management account sets it for each account, and both must have it on. It then "
            "holds for all their Reserved Instances.",
        )
    if "not_running" in idle.causes:
        yield Remedy("start", "Start the stopped instances", True, "It pays for what runs.")


def _correct(idle: IdlePurchase) -> Remedy:
    title = "Correct the AMI and relaunch"
    if not idle.lost_images and not idle.lost_elsewhere:
        why = "Of no AMI of the nearest instances is it known that it lost this code."
        return Remedy("correct", title, False, why)
    images = _some(idle.lost_images, idle.lost_elsewhere)
    why = (
        f"{images} should be billed as {idle.platform}. Create it again with CreateImage from an "
        "instance that carries the code, and replace its instances."
    )
    return Remedy("correct", title, True, why)


def _convert(idle: IdlePurchase) -> Remedy:
    title = "Convert the license of the nearest instances"
    wanted = [code.usage_operation for code in TABLE if code.reserved_platform == idle.platform]
    ways = sorted(
        f"from {label(code)} to {label(target)}"
        for code in idle.near_codes
        for target in wanted
        if is_convertible(code, target)
    )
    if ways:
        why = (
            f"License Manager converts {ways[0]}, once they are stopped. Conditions hold: for a "
            "license of your own, the subscription or media must be there first."
        )
        return Remedy("convert", title, True, why)
    if not idle.near_codes or None in idle.near_codes:
        return Remedy("convert", title, None, "The code of the nearest instances isn't recorded.")
    names = " or ".join(sorted({label(code) for code in idle.near_codes}))
    why = f"AWS lists no conversion from {names} to {idle.platform}."
    return Remedy("convert", title, False, why)


def _modify(idle: IdlePurchase) -> Remedy:
    if "wrong_az" in idle.causes and not idle.is_regional:
        why = (
            "A modification is free, and can also move it to another zone; not while it is listed "
            "for sale. A regional purchase reserves no capacity."
        )
        return Remedy("modify", "Change its scope to the region", True, why)
    title = "Let its size flex"
    if not is_flexible(
        idle.instance_type, platform=idle.platform, tenancy=idle.tenancy, scope="Region"
    ):
        why = (
            "Size flexes only for Linux/UNIX with default tenancy, and not in every family. Only "
            "there can a modification change it."
        )
        return Remedy("modify", title, False, why)
    why = "Change its scope to the region, where it pays for other sizes of its family. It's free."
    return Remedy("modify", title, True, why)


def _run(idle: IdlePurchase) -> Remedy:
    where = idle.region if idle.is_regional else f"its zone of {idle.region}"
    tenancy = "" if idle.tenancy == "default" else f", {idle.tenancy} tenancy"
    why = f"It pays for {idle.instance_type} with {idle.platform} in {where}{tenancy}."
    return Remedy("run", "Run new work on it", True, why)


def _exchange(idle: IdlePurchase, at: datetime) -> Remedy:
    title = "Exchange it for another platform, family or tenancy"
    if idle.offering_class != "convertible":
        return _only("exchange", title, "convertible", idle)
    if idle.end is None:
        return Remedy("exchange", title, None, "Its end was never recorded.")
    if idle.end - at < LEFT_TO_EXCHANGE:
        return Remedy("exchange", title, False, "Less than 24 hours of it are left.")
    why = (
        "It is convertible. The new purchase must be worth as much or more, in the same region; a "
        "payment may be due."
    )
    return Remedy("exchange", title, True, why)


def _sell(idle: IdlePurchase, at: datetime) -> Remedy:
    title = "Sell it on the Reserved Instance Marketplace"
    if idle.offering_class != "standard":
        return _only("sell", title, "standard", idle)
    if idle.region in OPT_IN_REGIONS:
        why = f"{idle.region} is a region that one must opt in to: AWS sells none from there."
        return Remedy("sell", title, False, why)
    if idle.start is None or idle.end is None:
        return Remedy("sell", title, None, "Its start or end was never recorded.")
    if at - idle.start < ACTIVE_TO_SELL:
        why = f"It must be active for 30 days: from {_day(idle.start + ACTIVE_TO_SELL)} on."
        return Remedy("sell", title, False, why)
    if idle.end - at < LEFT_TO_SELL:
        return Remedy("sell", title, False, "Less than a month of it is left.")
    why = (
        "AWS keeps 12 % of the upfront price. The seller must be registered, with a US bank "
        "account. A purchase with a volume discount can't be sold, nor one of AWS India."
    )
    return Remedy("sell", title, True, why)


def _expire(idle: IdlePurchase) -> Remedy:
    until = f"It ends on {_day(idle.end)}." if idle.end else "Its end was never recorded."
    why = f"{until} It can't be canceled, and costs as much until then."
    return Remedy("expire", "Let it end", True, why)


def _only(code: str, title: str, wanted: str, idle: IdlePurchase) -> Remedy:
    if not idle.offering_class:
        return Remedy(code, title, None, "Its class was never recorded.")
    return Remedy(code, title, False, f"Only a {wanted} purchase can. It is {idle.offering_class}.")


def _some(names: tuple[str, ...], elsewhere: int) -> str:
    """Name the first two; of those `elsewhere` only the number."""
    if not names:
        return f"{elsewhere} AMI{'s' if elsewhere > 1 else ''} in accounts that you can't read"
    more = len(names[2:]) + elsewhere
    return f"{', '.join(names[:2])}{f' and {more} more' if more else ''}"


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"
