"""Examples in the words of the EC2 User Guide → recordings, and what must come of them.

A line says what runs or was bought, where, and after the colon the answer:

    A runs 2 m4.xlarge in us-east-1a: 1 x 1, 1 x 1/2
    A buys 3 m4.large in us-east-1: used 3, idle 0

that is: one instance is covered as a whole and one by half; `nothing` is said of what is stopped.
Where a region stands, the purchase is regional. Between the place and the colon there may be a
code, a platform, a tenancy, a state, the id of a zone, or an option of the launch. `C shares
nothing`, `D has a payer of its own`, `A is in group red` and `A shares in group red only` speak of
accounts; all others of an example share one payer.
"""

import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from tests.data.items import Item, instance_item, reserved_item

_LINE = re.compile(r"(\w) (runs|buys) (\d+) (\S+) in ([a-z]+-[a-z]+-\d)([a-z]?)(.*): (.*)")
_GROUP = re.compile(r" (?:is|shares) in group (\w+)( only)?")
_ZONE_ID = re.compile(r"\w+-az\d")
_LIFECYCLES = {"spot", "scheduled", "capacity-block"}
_TENANCIES = {"dedicated", "host"}
_STATES = {"stopped", "retired", "queued", "payment-pending"}


class What(NamedTuple):
    """What runs or was bought, and where."""

    kind: str
    region: str
    zone: str  # its letter; "": the whole region
    words: list[str]

    @property
    def tenancy(self) -> str:
        return next((word for word in self.words if word in _TENANCIES), "default")

    @property
    def zones(self) -> Item:
        """Zones of one name are one zone, unless an id is told."""
        told = [word for word in self.words if _ZONE_ID.fullmatch(word)]
        zone_id = told[0] if told else f"{self.region}-{self.zone}"
        return {"AvailabilityZone": self.region + self.zone, "AvailabilityZoneId": zone_id}


@dataclass
class Example:
    """The answers of AWS for each account and region, and what is expected by id.

    Its accounts and ids are told from those of other examples by its number.
    """

    number: int
    answers: dict[tuple[str, str, str], list[Item]] = field(
        default_factory=lambda: defaultdict(list)
    )
    covered: dict[tuple[str, ...], list[float]] = field(default_factory=dict)
    used: dict[str, tuple[float, float]] = field(default_factory=dict)
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, number: int, text: str) -> "Example":
        found = cls(number)
        for line in filter(None, map(str.strip, text.splitlines())):
            name, what = line[0], line[1:]
            account = found.accounts.setdefault(name, {"payer": found._account("P")})
            if what == " shares nothing":
                account["reserved_instance_sharing"] = False
            elif match := _GROUP.fullmatch(what):
                account |= {"sharing_group": match[1], "group_only": bool(match[2])}
            elif what == " has a payer of its own":
                account["payer"] = found._account(name)
            else:
                found._add(line)
        return found

    @property
    def accounts_file(self) -> str:
        lines = []
        for name, terms in self.accounts.items():
            own = {"id": self._account(name), "name": f"{name} of {self.number}"}
            every = own | {"regions": self._regions(name)} | terms
            lines += ["[[account]]", *(f"{key} = {json.dumps(it)}" for key, it in every.items())]
        return "\n".join([*lines, ""])

    def write(self, folder: Path) -> None:
        for (account, region, file), items in self.answers.items():
            place = folder / self._account(account) / region
            place.mkdir(parents=True, exist_ok=True)
            (place / file).write_text(json.dumps(items))

    def _account(self, name: str) -> str:
        return f"{self.number:06d}{ord(name):06d}"

    def _regions(self, account: str) -> list[str]:
        return sorted({region for name, region, _ in self.answers if name == account})

    def _add(self, line: str) -> None:
        match = _LINE.fullmatch(line)
        assert match, line
        who, verb, count, kind, region, zone, more, answer = match.groups()
        what = What(kind, region, zone, list(filter(None, more.split(", "))))
        begin = 1000 * self.number + sum(map(len, self.covered)) + len(self.used)
        if verb == "runs":
            items = [_running(begin + n, what) for n in range(int(count))]
            self.answers[who, region, "instances.json"] += items
            self.covered[tuple(item["InstanceId"] for item in items)] = _shares(answer)
        else:
            item = _bought(begin, int(count), what)
            self.answers[who, region, "reserved-instances.json"].append(item)
            self.used[item["ReservedInstancesId"]] = _units(answer)


def _running(number: int, what: What) -> Item:
    place = {**what.zones, "Tenancy": what.tenancy}
    item = instance_item(number, InstanceType=what.kind, Placement=place)
    for word in what.words:
        if word.startswith("RunInstances"):
            item["UsageOperation"] = word
        elif word in _LIFECYCLES:
            item["InstanceLifecycle"] = word
        elif word in _STATES:
            item["State"] = {"Name": word}
        else:
            assert word in _TENANCIES or _ZONE_ID.fullmatch(word), word
    return item


def _bought(number: int, count: int, what: What) -> Item:
    item = reserved_item(
        number, InstanceType=what.kind, InstanceCount=count, InstanceTenancy=what.tenancy
    )
    if what.zone:
        item |= {"Scope": "Availability Zone", **what.zones}
    for word in what.words:
        if word in _STATES:
            item["State"] = word
        elif word not in _TENANCIES and not _ZONE_ID.fullmatch(word):
            item["ProductDescription"] = word
    return item


def _shares(answer: str) -> list[float]:
    pairs = (part.split(" x ") for part in answer.split(", ") if part != "nothing")
    return [float(Fraction(share)) for count, share in pairs for _ in range(int(count))]


def _units(answer: str) -> tuple[float, float]:
    match = re.fullmatch(r"used (\S+), idle (\S+)", answer)
    assert match, answer
    return float(Fraction(match[1])), float(Fraction(match[2]))
