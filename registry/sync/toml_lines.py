"""Where things stand in a TOML file: its parser tells the lines of syntax errors only."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'"
    r"|\#[^\n]*"
    r"|[\[\]{},\n]"
    r"|[^\[\]{},\n\"'#]+",
    re.DOTALL,
)


@dataclass(slots=True)
class Statement:
    """A heading, or a key and its value: its first line, and that of each item of a list."""

    line: int
    value: Mapping[str, Any] = field(default_factory=dict)
    items: list[int] = field(default_factory=list)
    is_heading: bool = False


@dataclass(frozen=True, slots=True)
class Places:
    """The statements of each table of one list of tables, the heading first; and other keys."""

    tables: Sequence[Sequence[Statement]]
    keys: Mapping[str, int]

    def line(self, table: int, key: str, item: int | None = None) -> int:
        """Return the line of a key of a table, or of an item of its list; else of the table."""
        heading, *others = self.tables[table]
        for statement in others:
            if key in statement.value:
                is_listed = item is not None and item < len(statement.items)
                return statement.items[item or 0] if is_listed else statement.line
        return heading.line


def places(text: str, name: str) -> Places:
    """Return where the tables `[[name]]` stand in `text`, which must be TOML."""
    tables: list[list[Statement]] = []
    keys: dict[str, int] = {}
    heading: Mapping[str, Any] | None = None
    for statement in _statements(text):
        value = statement.value
        if statement.is_heading:
            heading = value
            if value == {name: [{}]}:
                tables.append([statement])
            elif tables and isinstance(value.get(name), dict):  # [name.key]: of the last table
                tables[-1].append(Statement(statement.line, value[name]))
            else:
                keys.setdefault(next(iter(value)), statement.line)
        elif heading == {name: [{}]}:
            tables[-1].append(statement)
        elif heading is None:
            keys.setdefault(next(iter(value)), statement.line)
            if name in value:  # name = [{…}, {…}]
                tables += [[Statement(line)] for line in statement.items]
    return Places(tables, keys)


def _statements(text: str) -> Iterator[Statement]:
    line, depth, start, is_item_next = 1, 0, 0, False
    found: Statement | None = None
    for token in _TOKEN.finditer(text):
        word = token[0].strip(" \t\r")
        if word == "\n" and depth == 0 and found:
            yield _ended(found, text[start : token.start()])
            found = None
        elif word and word != "\n" and not word.startswith("#"):
            if found is None:
                found, start = Statement(line), token.start()
            if is_item_next and word not in {",", "]"}:
                found.items.append(line)
                is_item_next = False
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(word, 0)
            is_item_next = is_item_next or (depth == 1 and word in {"[", ","})
        line += token[0].count("\n")
    if found:
        yield _ended(found, text[start:])


def _ended(statement: Statement, text: str) -> Statement:
    statement.value = tomllib.loads(text.strip())
    statement.is_heading = text.lstrip().startswith("[")
    return statement
