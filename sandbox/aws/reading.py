"""What the Describe operations share: filters and pages."""

import base64
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import translate
from typing import Any

from sandbox.aws.errors import Refused
from sandbox.aws.state import Thing

Readers = Mapping[str, Callable[[Thing], Iterable[Any]]]


def tags_of(thing: Thing) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in thing.get("Tags", [])}


def member(name: str) -> Callable[[Thing], Iterable[Any]]:
    """Make a reader of one member of a thing."""
    return lambda thing: [thing.get(name, "")]


def filtered(
    things: Iterable[Thing], filters: Sequence[Mapping[str, Any]], readers: Readers
) -> list[Thing]:
    """Leave what meets every filter: values of one combine with or, * and ? stand for others."""
    rest = list(things)
    for wanted in filters:
        read = _reader(wanted["Name"], readers)
        patterns = [re.compile(translate(value)) for value in wanted.get("Values", [])]
        rest = [
            thing
            for thing in rest
            if any(pattern.match(_word(value)) for value in read(thing) for pattern in patterns)
        ]
    return rest


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
    size = params.get("MaxResults")
    end = len(things) if size is None else begin + size
    answer: dict[str, Any] = {key: things[begin:end]}
    if end < len(things):
        answer["NextToken"] = base64.b64encode(f"from {end}".encode()).decode()
    return answer


def _position(token: str | None) -> int:
    if not token:
        return 0
    try:
        return int(base64.b64decode(token).decode().removeprefix("from "))
    except ValueError:
        raise Refused("InvalidParameterValue", "The NextToken is invalid") from None


def dry(params: Mapping[str, Any]) -> None:
    """End a dry run that would have succeeded, the way AWS does: with an error."""
    if params.get("DryRun"):
        message = "Request would have succeeded, but DryRun flag is set."
        raise Refused("DryRunOperation", message, 412)
