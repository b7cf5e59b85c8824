"""Why a purchase is not used, in words."""

from collections.abc import Iterable
from typing import Any

from registry.audit.purchases import in_words
from registry.billing.near import NAMED
from registry.models import ReservedInstance


def why(row: ReservedInstance, *, is_lost: bool = False) -> list[dict[str, Any]]:
    """Return the causes, the most telling first, each with a sentence.

    `is_lost` says that an AMI lost the code that the purchase is for.
    """
    return [_reason(each["code"], len(each["instance_ids"]), is_lost) for each in row.reasons]


def split(near: Iterable[Any]) -> str:
    """Say in a sentence what the AMIs of the nearest instances should carry."""
    kinds = [found.kind for found in near]
    words = {
        "lost": "whose AMI lost this code",
        "right": "whose AMI should not carry it, so the purchase may be for the wrong platform",
        "unknown": "of whose AMI nothing tells what it should carry",
    }
    told = [f"{kinds.count(kind)} {text}" for kind, text in words.items() if kind in kinds]
    return f"Among those named: {'; '.join(told)}." if told else ""


def _reason(code: str, number: int, is_lost: bool) -> dict[str, Any]:
    was_lost = is_lost and code == "wrong_platform"
    return {
        "code": code,
        "title": in_words([code], is_lost=was_lost)[0],
        "is_lost": was_lost,
        "sentence": _sentence(code, number),
    }


def _sentence(code: str, number: int) -> str:
    if not number:
        return ""
    some = f"{number} instance{'s' if number > 1 else ''}"
    if number >= NAMED:
        some = f"{NAMED} instances or more"
    if code == "wrong_platform":
        return f"Nearest: {some} with another code."
    return f"Nearest: {some}."
