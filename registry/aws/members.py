"""The members of an item of AWS, read as our columns hold them.

An item is what boto3 returns or what the AWS command line prints. A member that AWS left out, and
that old recordings do not have, becomes empty.
"""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

Item = Mapping[str, Any]
SHORT, LONG = 64, 255
LARGEST = 2**31 - 1  # what an integer column holds
_DEAREST = Decimal(10**12)  # and a column of money
_DEEPEST = 20
# PostgreSQL holds neither NUL nor half a surrogate pair; the mark shows that something was there.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class Malformed(ValueError):
    """An item is not what AWS would say; the message names the member."""


def clean(value: Any, *, depth: int = 0) -> Any:
    """Replace what cannot be stored, at any depth; Malformed where that has no end."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if depth > _DEEPEST:
        raise Malformed("it is nested without end")
    if isinstance(value, Mapping):
        return {clean(key): clean(item, depth=depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [clean(item, depth=depth + 1) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise Malformed(f"{value} is not a number")
    return value


def words(item: Item, name: str, longest: int = LONG) -> str:
    """Return a member as text, cut to what its column holds."""
    value = item.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Malformed(f"{name} is not a text: {_shown(value)}")
    return str(clean(value))[:longest]


def recorded(item: Item, name: str, longest: int = LONG) -> str | None:
    """Return a member as text; None where the item has no such member."""
    return words(item, name, longest) if item.get(name) is not None else None


def moment(item: Item, name: str) -> datetime | None:
    value = item.get(name)
    if value is None or value == "":
        return None
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        raise Malformed(f"{name} is not a time: {_shown(value)}") from None


def amount(item: Item, name: str) -> Decimal | None:
    value = item.get(name)
    if value is None:
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise Malformed(f"{name} is not an amount: {_shown(value)}") from None
    if not number.is_finite() or not 0 <= number < _DEAREST:
        raise Malformed(f"{name} is not an amount: {_shown(value)}")
    return number


def whole(item: Item, name: str) -> int | None:
    value = item.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST:
        raise Malformed(f"{name} is not a whole number: {_shown(value)}")
    return value


def flag(item: Item, name: str) -> bool | None:
    value = item.get(name)
    if value is not None and not isinstance(value, bool):
        raise Malformed(f"{name} is not true or false: {_shown(value)}")
    return value


def members(item: Item, name: str) -> Sequence[Item]:
    """Return a list of structures; empty where there is none."""
    value = item.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(part, Mapping) for part in value):
        raise Malformed(f"{name} is not a list of objects")
    return value


def part(item: Item, name: str) -> Item:
    value = item.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise Malformed(f"{name} is not an object")
    return value


def tags(item: Item) -> dict[str, str]:
    return {words(tag, "Key"): words(tag, "Value", 1_000) for tag in members(item, "Tags")}


def product_codes(item: Item) -> list[dict[str, str]]:
    """Return the product codes; boto3 and the API reference name their members differently."""
    return [
        {
            "id": words(code, "ProductCodeId") or words(code, "ProductCode"),
            "type": words(code, "ProductCodeType") or words(code, "Type"),
        }
        for code in members(item, "ProductCodes")
    ]


def identity(item: Item, name: str) -> str:
    value = item.get(name)
    if not isinstance(value, str) or not value or len(value) > SHORT:
        raise Malformed(f"{name} is missing or not an id: {_shown(value)}")
    return str(clean(value))


def codes(item: Item) -> tuple[str | None, str | None]:
    """Return platform details and usage operation; (None, None): never recorded.

    An item that has the one, empty, and not the other was left empty by AWS.
    """
    details, operation = recorded(item, "PlatformDetails"), recorded(item, "UsageOperation", SHORT)
    if details == "" and operation is None:
        operation = ""
    return details, operation


def _shown(value: Any) -> str:
    """Show a value in a message, however long it is."""
    text = repr(value)
    return text if len(text) <= LONG else f"{text[:LONG]}…"
