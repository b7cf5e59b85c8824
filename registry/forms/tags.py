"""Tags in one line of text: team=erp, env=prod."""

import csv
import io
from collections.abc import Iterable

from django import forms

_QUOTE = '"'


def parsed_tags(text: str) -> dict[str, str]:
    """Read `team=erp, "note=a, b"`; a ValidationError names what is no pair, or is there twice."""
    found: dict[str, str] = {}
    for part in filter(None, map(str.strip, _parts(text))):
        key, equals, value = map(str.strip, part.partition("="))
        if not equals or not key:
            raise forms.ValidationError(f"Write {part!r} as key=value.")
        if key in found:
            raise forms.ValidationError(f"The key {key!r} is there twice. Leave one out.")
        found[key] = value
    return found


def written_tags(tags: Iterable[tuple[str, str]]) -> str:
    """Return the line that is read as these tags; quotes stand around what has a comma."""
    return ", ".join(_written(f"{key}={value}") for key, value in tags)


def _written(pair: str) -> str:
    if not pair.startswith(_QUOTE) and not any(letter in pair for letter in ",\r\n"):
        return pair
    return _QUOTE + pair.replace(_QUOTE, 2 * _QUOTE) + _QUOTE


def _parts(text: str) -> list[str]:
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), skipinitialspace=True, strict=True))
    except csv.Error:
        raise forms.ValidationError(
            'Write a pair that has a comma in quotes: team=erp, "note=a, b".'
        ) from None
    return [part for row in rows for part in row]
