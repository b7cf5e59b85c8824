"""Accounts declared in a file."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from registry.models import Account, Scope
from registry.models.account import ACCOUNT_NUMBER, EXTERNAL_ID, REGION, ROLE_ARN

KEYS = ("id", "name", "payer", "role_arn", "external_id", "regions", "reserved_instance_sharing")


class AccountsInvalid(Exception):
    """The file is not right; `problems` are sentences, each with its line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Difference:
    """What a file changes, in sentences; empty where it changes nothing."""

    lines: tuple[str, ...]


def load_accounts(text: str, *, is_dry: bool = False) -> Difference:
    """Make the accounts agree with the file's text and return the difference.

    All or nothing: AccountsInvalid where something is wrong. A region that is no longer named is
    disabled, its data stay. Accounts that are not in the file are left alone.
    """
    tables = _tables(text)
    with transaction.atomic():
        lines = [line for table in tables for line in _apply(table)]
        if is_dry:
            transaction.set_rollback(True)
    return Difference(tuple(lines))


def _tables(text: str) -> list[Mapping[str, Any]]:
    try:
        whole = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise AccountsInvalid([f"This is not TOML: {error}"]) from None
    problems = [
        f"Line {_line_of_key(text, key)}: unknown key {key}. Accounts are written as [[account]]."
        for key in whole
        if key != "account"
    ]
    tables = whole.get("account", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise AccountsInvalid([f"Line {_line_of_key(text, 'account')}: write [[account]]."])
    if not tables and not problems:
        problems = ["There is no [[account]] in it."]
    places = _places(text)
    problems += [
        f"Line {places.line(number, key)}: {problem}"
        for number, table in enumerate(tables)
        for key, problem in _problems(table)
    ]
    problems += _twice(tables, places)
    if problems:
        raise AccountsInvalid(problems)
    return tables


def _problems(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key in table:
        if key not in KEYS:
            yield key, f"unknown key {key}. Known are {', '.join(KEYS)}."
    for key in ("id", "name", "regions"):
        if key not in table:
            yield "", f"the account has no {key}."
    texts = {
        "id": (ACCOUNT_NUMBER, "an account number has twelve digits, in quotes"),
        "name": (r"^.{1,100}$", "a name has 1 to 100 characters"),
        "payer": (ACCOUNT_NUMBER, "an account number has twelve digits, in quotes"),
        "role_arn": (ROLE_ARN, "write arn:aws:iam::123456789012:role/name"),
        "external_id": (EXTERNAL_ID, "use 2 to 1,224 letters, digits and + = , . @ : / -"),
    }
    for key, (pattern, advice) in texts.items():
        if key in table and not _fits(pattern, table[key]):
            yield key, f"{key} is {table[key]!r}: {advice}."
    yield from _other_problems(table)


def _other_problems(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    regions = table.get("regions", [])
    if not isinstance(regions, list):
        yield "regions", 'regions is a list: ["us-east-1"].'
    else:
        for region in regions:
            if not _fits(REGION, region):
                yield "regions", f"{region!r} is no region: write us-east-1."
    if not isinstance(table.get("reserved_instance_sharing", True), bool):
        yield "reserved_instance_sharing", "reserved_instance_sharing is true or false."
    role = table.get("role_arn")
    if isinstance(role, str) and _fits(ROLE_ARN, role) and role.split(":")[4] != table.get("id"):
        yield "role_arn", "the role is one of another account."


def _fits(pattern: str, value: Any) -> bool:
    return isinstance(value, str) and re.match(pattern, value, re.ASCII) is not None


def _twice(tables: list[Mapping[str, Any]], places: "_Places") -> list[str]:
    seen: set[str] = set()
    problems = []
    for number, table in enumerate(tables):
        account = str(table.get("id"))
        if account in seen:
            problems.append(f"Line {places.line(number, 'id')}: account {account} is here twice.")
        seen.add(account)
    return problems


@dataclass(frozen=True, slots=True)
class _Places:
    """Where each account and each of its keys stands, counted from 1."""

    headings: tuple[int, ...]
    lines: tuple[str, ...]

    def line(self, number: int, key: str) -> int:
        begin = self.headings[number] if number < len(self.headings) else 1
        after = self.headings[number + 1 :]
        end = after[0] if after else len(self.lines) + 1
        for place in range(begin, end):
            if key and re.match(rf'\s*"?{re.escape(key)}"?\s*=', self.lines[place - 1]):
                return place
        return begin


def _places(text: str) -> _Places:
    lines = text.splitlines()
    headings = [n for n, line in enumerate(lines, 1) if re.match(r"\s*\[\[\s*account\s*\]\]", line)]
    return _Places(tuple(headings), tuple(lines))


def _line_of_key(text: str, key: str) -> int:
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(rf'\s*\[*\s*"?{re.escape(key)}', line):
            return number
    return 1


def _apply(table: Mapping[str, Any]) -> Iterator[str]:
    number = table["id"]
    wanted = {
        "name": table["name"],
        "payer": table.get("payer", ""),
        "role_arn": table.get("role_arn", ""),
        "external_id": table.get("external_id", ""),
        "reserved_instance_sharing": table.get("reserved_instance_sharing", True),
        "is_synced": True,
    }
    account = Account.objects.numbered(number).first()
    if account is None:
        account = Account.objects.create(number=number, **wanted)
        yield f"+ account {number} {account.name}"
    else:
        before = {name: getattr(account, name) for name in wanted}
        for name, value in wanted.items():
            if before[name] != value:
                setattr(account, name, value)
                yield f"~ account {number}: {name} {before[name]!r} -> {value!r}"
        account.save()
    yield from _apply_regions(account, table["regions"])


def _apply_regions(account: Account, regions: list[str]) -> Iterator[str]:
    known = {scope.region: scope for scope in account.scopes.all()}
    for region in sorted(set(regions)):
        scope = known.pop(region, None)
        if scope is None:
            Scope.objects.create(account=account, region=region)
            yield f"+ {account.number} {region}"
        elif not scope.is_enabled:
            Scope.objects.filter(pk=scope.pk).update(is_enabled=True)
            yield f"+ {account.number} {region}, enabled again"
    for region, scope in sorted(known.items()):
        if scope.is_enabled:
            Scope.objects.filter(pk=scope.pk).update(is_enabled=False)
            yield f"- {account.number} {region}, its data stay"
