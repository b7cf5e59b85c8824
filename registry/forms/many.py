"""Many images from one CSV file: each line is the form of one image."""

import csv
import io
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.http import QueryDict

from registry.forms.registration import AS_SOURCE, OF_OTHERS, WITH_DEVICES, RegistrationForm
from registry.models import Account, Method, Scope
from registry.registration import Wish

MOST_LINES = 500
LARGEST = 1_000_000  # bytes
_LIKE_SOURCE = (
    "architecture",
    "boot_mode",
    "virtualization_type",
    "ena_support",
    "tpm_support",
    "imds_support",
)
_TICKED = ("no_reboot", "copies_tags", "is_encrypted", "delete_on_termination")
_YES, _NO = frozenset({"yes", "true", "1", "on"}), frozenset({"no", "false", "0", "off"})
COLUMNS = (
    *(name for name in RegistrationForm.base_fields if name != "key"),
    "block_devices",
)
NEEDED = ("account", "region", "name", "expected_usage_operation")


class Unreadable(Exception):
    """The file is no table of requests; the message says what to do."""


@dataclass(slots=True)
class Line:
    """A line of the file: what it asks for, or what is wrong with it, by column."""

    number: int
    name: str
    wishes: list[Wish] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)


class ManyForm(forms.Form):
    """The file. Its key makes of the same upload the same requests."""

    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    file = forms.FileField(
        label="CSV file",
        help_text=f"At most {MOST_LINES} lines, one for each image.",
        error_messages={"required": "Choose a file.", "empty": "The file is empty."},
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
    )

    def clean_file(self) -> str:
        file = self.cleaned_data["file"]
        if file.size > LARGEST:
            raise forms.ValidationError("Use a file of at most 1 MB.")
        try:
            return str(file.read().decode("utf-8-sig"))
        except UnicodeDecodeError:
            raise forms.ValidationError("Save the file as UTF-8.") from None


def read_lines(text: str, *, key: uuid.UUID, accounts: Any) -> list[Line]:
    """Return every line with its wishes or problems; Unreadable where it is no such table."""
    if "\x00" in text:
        raise Unreadable("The file has NUL characters in it. Save it as UTF-8.")
    rows = csv.DictReader(io.StringIO(text, newline=""), restkey="", strict=True)
    try:
        _check_head(rows.fieldnames or [])
        found = [(rows.line_num, row) for row in rows if any(map(str.strip, _texts(row)))]
    except csv.Error as error:
        raise Unreadable(f"Line {rows.line_num}: {error}.") from None
    if not found:
        raise Unreadable("The file has no lines below its head.")
    if len(found) > MOST_LINES:
        raise Unreadable(f"Use at most {MOST_LINES} lines; this file has {len(found)}.")
    return [_line(number, row, key=key, accounts=accounts) for number, row in found]


def _texts(row: Mapping[Any, Any]) -> Iterator[str]:
    """Yield all cells of a row, also those for which the head has no column."""
    for name, value in row.items():
        yield from value if name == "" else [value or ""]


def _check_head(names: Any) -> None:
    clean = [(name or "").strip() for name in names]
    unknown = sorted({name for name in clean if name not in COLUMNS})
    if unknown:
        said = ", ".join(name or "one without a name" for name in unknown)[:200]
        raise Unreadable(f"Unknown column: {said}. There are: {', '.join(COLUMNS)}.")
    if len(set(clean)) < len(clean):
        raise Unreadable("A column is there twice.")
    missing = [name for name in NEEDED if name not in clean]
    if missing:
        raise Unreadable(f"The first line must name these columns too: {', '.join(missing)}.")


def _line(number: int, row: Mapping[Any, Any], *, key: uuid.UUID, accounts: Any) -> Line:
    cells = {str(name).strip(): (value or "").strip() for name, value in row.items() if name}
    if any(map(str.strip, row.get("", []))):
        problem = "It has more cells than the first line has columns."
        return Line(number, cells.get("name", ""), problems={"line": problem})
    return read_line(number, cells, key=uuid.uuid5(key, str(number)), accounts=accounts)


def read_line(number: int, cells: Mapping[str, str], *, key: uuid.UUID, accounts: Any) -> Line:
    """Return what the cells of a line, by column, ask for, or what is wrong with them."""
    line = Line(number, cells.get("name", ""))
    data = _as_form(cells, key, line)
    account = accounts.filter(number=data.get("account", "")).first()
    form = RegistrationForm(data, accounts=accounts, regions=_regions(account))
    devices = _devices(cells.get("block_devices", ""), line)
    for name, errors in form.errors.items():
        line.problems[name] = " ".join(map(str, errors))
    for name in sorted(_idle(str(data["method"])) & {name for name, text in cells.items() if text}):
        line.problems[name] = "Leave it empty: it does not count for this method."
    if not line.problems:
        line.wishes = form.wishes(devices)
    return line


def _idle(method: str) -> set[str]:
    """Return the columns that say nothing of an image made this way."""
    if method not in Method.values:
        return set()
    has_devices = method in WITH_DEVICES
    return {*OF_OTHERS[method], *([] if has_devices else ["block_devices"])}


def _regions(account: Account | None) -> list[str]:
    if account is None:
        return []
    scopes = Scope.objects.enabled().filter(account=account).order_by("region")
    return list(scopes.values_list("region", flat=True))


def _as_form(cells: Mapping[str, str], key: uuid.UUID, line: Line) -> QueryDict:
    data = QueryDict(mutable=True)
    data["key"] = str(key)
    data["method"] = cells.get("method") or Method.SNAPSHOT
    data.update({name: cells.get(name) or AS_SOURCE for name in _LIKE_SOURCE})
    apart = {"block_devices", "destinations", *_TICKED}
    for name, value in cells.items():
        if value and name not in apart:
            data[name] = value  # not update: that would add a second value
    data.setlist("destinations", cells.get("destinations", "").replace(";", " ").split())
    data.update({name: "on" for name, is_on in _ticked(cells, line) if is_on})
    return data


def _ticked(cells: Mapping[str, str], line: Line) -> Iterator[tuple[str, bool]]:
    for name in _TICKED:
        said = cells.get(name, "").lower()
        if said and said not in _YES | _NO:
            line.problems[name] = "Write yes or no."
        yield name, said in _YES if said else bool(RegistrationForm.base_fields[name].initial)


def _devices(text: str, line: Line) -> list[dict[str, Any]]:
    """Return the devices as they stand there; what AWS would refuse of them is said later."""
    if not text:
        return []
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(map(_is_device, found)):
        line.problems["block_devices"] = (
            'Write a JSON list as AWS does: [{"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 8}}].'
        )
        return []
    return [_with_defaults(device) for device in found]


def _is_device(found: Any) -> bool:
    """Say whether it is a mapping as AWS nests them: of single values, but for the volume."""
    if not isinstance(found, dict):
        return False
    ebs = found.get("Ebs", {})
    inner = ebs.values() if isinstance(ebs, dict) else [ebs]
    outer = [value for name, value in found.items() if name != "Ebs"]
    return not any(isinstance(value, (dict, list)) for value in (*inner, *outer))


def _with_defaults(device: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(device.get("Ebs"), dict):
        return device
    return {**device, "Ebs": {"DeleteOnTermination": True, **device["Ebs"]}}
