"""Accounts declared in a file."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from django.db import transaction

from registry.models import Account, Scope
from registry.models.account import ACCOUNT_NUMBER, BILL_SOURCE, EXTERNAL_ID, REGION, ROLE_ARN
from registry.sync.toml_lines import Places, places

TABLE = "account"
KEYS = (
    *("id", "name", "payer", "role_arn", "external_id", "regions"),
    *("reserved_instance_sharing", "sharing_group", "group_only", "reads_prices", "bill"),
)
_TWELVE = "an account number has twelve digits, in quotes"
_NAME = r"(?!\s*$)[^\x00-\x1f\x7f]+"
_TEXTS = {
    "id": (ACCOUNT_NUMBER, 12, _TWELVE),
    "name": (_NAME, 100, "a name has 1 to 100 characters"),
    "payer": (ACCOUNT_NUMBER, 12, _TWELVE),
    "role_arn": (ROLE_ARN, 600, "write arn:aws:iam::123456789012:role/name"),
    "external_id": (EXTERNAL_ID, 1_224, "use 2 to 1,224 letters, digits and + = , . @ : / -"),
    "bill": (BILL_SOURCE, 600, "write s3://bucket/prefix, or a folder below that of all bills"),
    "sharing_group": (_NAME, 64, "a group has 1 to 64 characters"),
}
_SWITCHES = ("reserved_instance_sharing", "group_only", "reads_prices")
_KEY_OF = {"is_group_restricted": "group_only"}  # where it differs from the column
_SHOWN = 100


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
    text = text.removeprefix("\ufeff")
    try:
        whole = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # its own errors, and numbers without end
        raise AccountsInvalid([f"This is not TOML: {error}"]) from None
    tables = whole.get(TABLE, [])
    if not _are_tables(tables):
        line = places(text, TABLE).keys.get(TABLE, 1)
        raise AccountsInvalid([f"Line {line}: accounts are written as [[account]]."])
    others = whole.keys() - {TABLE}
    if not tables and not others:
        raise AccountsInvalid(["Line 1: there is no [[account]] in it."])
    if others or any(map(_problems, tables)) or _twice(tables):
        raise AccountsInvalid(list(_sentences(whole, tables, places(text, TABLE))))
    return tables


def _are_tables(value: Any) -> TypeGuard[list[Mapping[str, Any]]]:
    return isinstance(value, list) and all(isinstance(table, dict) for table in value)


def _sentences(
    whole: Mapping[str, Any], tables: list[Mapping[str, Any]], where: Places
) -> Iterator[str]:
    for key in whole:
        if key != TABLE:
            line = where.keys[key]
            yield f"Line {line}: unknown key {key}. Accounts are written as [[account]]."
    problems = [
        (where.line(number, problem.key, problem.item), problem.text)
        for number, table in enumerate(tables)
        for problem in _problems(table)
    ]
    problems += [
        (where.line(number, "id"), f"account {tables[number]['id']} is here twice.")
        for number in _twice(tables)
    ]
    for line, text in sorted(problems):
        yield f"Line {line}: {text}"


@dataclass(frozen=True, slots=True)
class _Problem:
    """What is wrong with a key of an account, or with an item of its list."""

    key: str
    text: str
    item: int | None = None


def _problems(table: Mapping[str, Any]) -> list[_Problem]:
    unknown = [
        _Problem(key, f"unknown key {key}. Known are {', '.join(KEYS)}.")
        for key in table
        if key not in KEYS
    ]
    missing = [
        _Problem("", f"the account has no {key}.")
        for key in ("id", "name", "regions")
        if key not in table
    ]
    wrong = [
        _Problem(key, f"{key} is {_shown(table[key])}: {advice}.")
        for key, (pattern, longest, advice) in _TEXTS.items()
        if key in table and not _fits(pattern, table[key], longest)
    ]
    return [*unknown, *missing, *wrong, *_other_problems(table)]


def _other_problems(table: Mapping[str, Any]) -> Iterator[_Problem]:
    regions = table.get("regions", [])
    if not isinstance(regions, list):
        yield _Problem("regions", 'regions is a list: ["us-east-1"].')
    else:
        for number, region in enumerate(regions):
            if not _fits(REGION, region, 32):
                yield _Problem(
                    "regions", f"{_shown(region)} is no region: write us-east-1.", number
                )
    for key in _SWITCHES:
        if not isinstance(table.get(key, True), bool):
            yield _Problem(key, f"{key} is true or false.")
    if table.get("group_only") is True and "sharing_group" not in table:
        yield _Problem("group_only", "group_only needs a sharing_group.")
    role = table.get("role_arn", "")
    if _fits(ROLE_ARN, role, 600) and role.split(":")[4] != table.get("id"):
        yield _Problem("role_arn", "the role is one of another account.")


def _fits(pattern: str, value: Any, longest: int) -> TypeGuard[str]:
    if not isinstance(value, str) or len(value) > longest:
        return False
    return re.fullmatch(pattern, value, re.ASCII) is not None


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _twice(tables: list[Mapping[str, Any]]) -> list[int]:
    """The places of the accounts that an earlier table has declared."""
    seen: set[str] = set()
    again = []
    for number, table in enumerate(tables):
        account = table.get("id")
        if isinstance(account, str) and account in seen:
            again.append(number)
        seen.add(str(account))
    return again


def _apply(table: Mapping[str, Any]) -> Iterator[str]:
    number = table["id"]
    wanted = {
        "name": table["name"],
        "payer": table.get("payer", ""),
        "role_arn": table.get("role_arn", ""),
        "external_id": table.get("external_id", ""),
        "reserved_instance_sharing": table.get("reserved_instance_sharing", True),
        "sharing_group": table.get("sharing_group", ""),
        "is_group_restricted": table.get("group_only", False),
        "reads_prices": table.get("reads_prices", False),
        "bill": table.get("bill", ""),
        "is_synced": True,
    }
    account = Account.objects.numbered(number).first()
    if account is not None and not wanted["role_arn"]:
        # Only known from a recording, and no role to read it with: it stays so.
        wanted["is_synced"] = account.is_synced
    if account is None:
        account = Account.objects.create(number=number, **wanted)
        yield f"+ account {number} {account.name}"
    else:
        yield from _change(account, wanted)
    yield from _apply_regions(account, table["regions"])


def _change(account: Account, wanted: Mapping[str, Any]) -> Iterator[str]:
    before = {name: getattr(account, name) for name in wanted}
    changed = [name for name, value in wanted.items() if before[name] != value]
    for name in changed:
        setattr(account, name, wanted[name])
        key = _KEY_OF.get(name, name)
        yield f"~ account {account.number}: {key} {before[name]!r} -> {wanted[name]!r}"
    if changed:
        account.save(update_fields=changed)


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
