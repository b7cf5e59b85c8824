"""A frozen result as CSV."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

COLUMNS = (
    *("ref", "severity", "rule", "title", "account", "account_name", "region", "thing", "name"),
    *("actual", "expected", "per_month", "opened_at", "message"),
)
# A spreadsheet would run a cell that begins so; the last four are = + - @ in full width.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def cell(value: Any) -> str:
    """Return a value as the text of a cell that no spreadsheet takes for a formula."""
    if isinstance(value, Decimal):
        return f"{value:f}"  # a number, also below 0
    if isinstance(value, float):
        return str(value)
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def lines(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    """Yield a CSV file line by line."""
    yield _line(columns)
    for row in rows:
        yield _line([cell(row.get(name)) for name in columns])


def findings_csv(result: Mapping[str, Any]) -> str:
    return "".join(lines(COLUMNS, result["findings"]))


def _line(cells: Sequence[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
