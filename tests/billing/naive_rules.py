"""Two rules by which purchases are often compared with instances, and what each gets wrong.

Both compare, for a payer and a region, purchases and running instances of the very same type, one
for one; neither knows of sizes, zones, tenancies, Spot or sharing. They differ in what a platform
is to them:

- `by_text`: the text of the platform. A purchase pays where its description is the very text that
  the instance shows as PlatformDetails.
- `windows_or_linux`: the field Platform, which is "windows" or missing. So a purchase for Red Hat
  never pays, and an instance of Red Hat takes one for Linux.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from registry.billing.codes import TABLE, WINDOWS, parts
from registry.billing.fleet import Machine, Owner, Purchase

Rule = Callable[[Machine], str]
_TEXTS = {row.usage_operation: row.platform_details for row in TABLE}


class Use(NamedTuple):
    """The used Reserved Instances of each purchase, and the covered share of each instance."""

    used: Mapping[str, Fraction]
    covered: Mapping[str, Fraction]


@dataclass(frozen=True)
class Errors:
    """Reserved Instances that are called idle and are used; instances covered that are not."""

    false_idle: Fraction
    false_covered: Fraction

    def __str__(self) -> str:
        return (
            f"calls {float(self.false_idle):8,.1f} used Reserved Instances idle, and "
            f"{float(self.false_covered):8,.1f} instances covered that are not"
        )


def by_text(machine: Machine) -> str:
    return _TEXTS.get(machine.usage_operation or "", "")


def windows_or_linux(machine: Machine) -> str:
    return "Windows" if WINDOWS in (parts(machine.usage_operation) or ()) else "Linux/UNIX"


RULES: dict[str, Rule] = {"the text": by_text, "Windows or else Linux": windows_or_linux}


def naively(
    rule: Rule, purchases: Iterable[Purchase], machines: Iterable[Machine], owners: Iterable[Owner]
) -> Use:
    """Compare active purchases with running instances by a rule, in the order of their ids."""
    payers = {owner.account: owner.payer for owner in owners}
    left: Counter[tuple[str, ...]] = Counter()
    used, covered = {}, {}
    in_order = sorted(machines, key=lambda each: each.aws_id)
    running = [machine for machine in in_order if machine.state == "running"]
    keys = {each.aws_id: _key(each, rule(each), payers) for each in running}
    left.update(keys.values())
    paid: Counter[tuple[str, ...]] = Counter()
    for bought in sorted(purchases, key=lambda each: each.aws_id):
        key = _key(bought, bought.platform, payers)
        number = min(bought.count, left[key]) if bought.state == "active" else 0
        used[bought.aws_id] = Fraction(number)
        left[key] -= number
        paid[key] += number
    for aws_id, key in keys.items():
        covered[aws_id] = Fraction(paid[key] > 0)
        paid[key] -= 1
    return Use(used, covered)


def errors(found: Use, right: Use) -> Errors:
    return Errors(
        _missing(right.used, found.used),
        _missing(found.covered, right.covered),
    )


def _missing(more: Mapping[str, Fraction], fewer: Mapping[str, Fraction]) -> Fraction:
    """Return by how much each of `fewer` falls short, in all."""
    short = (value - fewer.get(key, Fraction(0)) for key, value in more.items())
    return sum((value for value in short if value > 0), Fraction(0))


def _key(thing: Machine | Purchase, platform: str, payers: Mapping[str, str]) -> tuple[str, ...]:
    payer = payers.get(thing.account, thing.account)
    return payer, thing.region, thing.instance_type, platform
