"""What the Describe operations share: filters and pages."""

import base64
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sandbox.aws.errors import Refused
from sandbox.aws.state import Thing

Readers = Mapping[str, Callable[[Thing], Iterable[Any]]]
_MOST_VALUES = 200


def tags_of(thing: Thing) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in thing.get("Tags", [])}


def member(name: str) -> Callable[[Thing], Iterable[Any]]:
    """Make a reader of one member of a thing."""
    return lambda thing: [thing[name]] if thing.get(name) is not None else []


def part(*names: str) -> Callable[[Thing], Iterable[Any]]:
    """Make a reader of a member of a member; where a list lies on the way, of each of its items."""

    def read(thing: Thing) -> Iterable[Any]:
        found: list[Any] = [thing]
        for name in names:
            found = [item[name] for item in found if item.get(name) is not None]
            found = [
                item for value in found for item in (value if isinstance(value, list) else [value])
            ]
        return found

    return read


PRODUCT_CODES: Readers = {
    "product-code": part("ProductCodes", "ProductCodeId"),
    "product-code.type": part("ProductCodes", "ProductCodeType"),
}


def filtered(
    things: Iterable[Thing], filters: Sequence[Mapping[str, Any]], readers: Readers
) -> list[Thing]:
    """Leave what meets every filter: values of one combine with or, * and ? stand for others."""
    if sum(len(wanted.get("Values", [])) for wanted in filters) > _MOST_VALUES:
        message = (
            f"The maximum number of filter values specified on a single call is {_MOST_VALUES}"
        )
        raise Refused("FilterLimitExceeded", message)
    rest = list(things)
    for wanted in filters:
        read = _reader(wanted.get("Name", ""), readers)
        patterns = [_pattern(value) for value in wanted.get("Values", [])]
        rest = [
            thing
            for thing in rest
            if any(pattern.fullmatch(_word(v)) for v in read(thing) for pattern in patterns)
        ]
    return rest


def _pattern(value: str) -> re.Pattern[str]:
    """Only * and ? are special, and a backslash makes them plain."""
    found = re.findall(r"\\.|.", value, re.DOTALL)
    special = {"*": ".*", "?": "."}
    return re.compile("".join(special.get(w) or re.escape(w[-1]) for w in found), re.DOTALL)


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _reader(name: str, readers: Readers) -> Callable[[Thing], Iterable[Any]]:
    if name.startswith("tag:"):
        return lambda thing: [v for k, v in tags_of(thing).items() if k == name[4:]]
    if name == "tag-key":
        return lambda thing: tags_of(thing).keys()
    if name not in readers:
        raise Refused("InvalidParameterValue", f"The filter '{name}' is invalid")
    return readers[name]


def page(things: Sequence[Any], params: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return one page of `things` under `key`; NextToken only where there is more."""
    begin = _position(params.get("NextToken"))
    size = params.get("MaxResults", len(things))
    if size < 1 and "MaxResults" in params:
        raise Refused("InvalidParameterValue", f"Value ( {size} ) for maxResults is invalid.")
    end = begin + size
    answer: dict[str, Any] = {key: things[begin:end]}
    if end < len(things):
        answer["NextToken"] = base64.b64encode(f"from {end}".encode()).decode()
    return answer


def _position(token: str | None) -> int:
    if not token:
        return 0
    try:
        words = base64.b64decode(token, validate=True).decode()
    except ValueError:
        words = ""
    match = re.fullmatch(r"from (\d+)", words, re.ASCII)
    if match is None:
        raise Refused("InvalidParameterValue", "The NextToken is invalid")
    return int(match[1])


def dry(params: Mapping[str, Any]) -> None:
    """End a dry run that would have succeeded, the way AWS does: with an error."""
    if params.get("DryRun"):
        message = "Request would have succeeded, but DryRun flag is set."
        raise Refused("DryRunOperation", message, 412)
