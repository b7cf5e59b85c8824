"""With whom the accounts of one payer share their purchases.

An account shares with nobody, with its group, or with all of the payer; its group comes before the
others. AWS documents the order and that both accounts must share. What follows is an assumption: a
group is restricted where one of its accounts says so, its accounts then use no purchases of the
others either, and an account that shares within its group and has none shares with nobody.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import NamedTuple

from registry.billing.fleet import Owner


class Users(NamedTuple):
    """Who uses a purchase: an account, or a group; of neither, all that share with all."""

    account: str = ""
    group: str = ""


EVERYBODY = Users()
Step = Callable[[str], Users | None]  # account → with whom it shares


@dataclass(frozen=True)
class Sharing:
    """The switches and groups of the accounts of one payer; an account is open unless named."""

    alone: frozenset[str] = frozenset()
    groups: Mapping[str, str] = field(default_factory=dict)  # account → group, of those that share
    restricted: frozenset[str] = frozenset()  # groups

    @classmethod
    def of(cls, owners: Iterable[Owner]) -> "Sharing":
        every = list(owners)
        grouped = [owner for owner in every if owner.group]
        return cls(
            alone=frozenset(
                owner.account
                for owner in every
                if not owner.sharing or (owner.is_restricted and not owner.group)
            ),
            groups={owner.account: owner.group for owner in grouped if owner.sharing},
            restricted=frozenset(owner.group for owner in grouped if owner.is_restricted),
        )

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """How accounts share beyond themselves, in the order of AWS: asked of each many times."""
        others = cache(self.others)
        return (cache(self.group), others) if self.groups else (others,)

    def group(self, account: str) -> Users | None:
        """Return those with whom an account shares first."""
        name = self.groups.get(account)
        return Users(group=name) if name else None

    def others(self, account: str) -> Users | None:
        """Return those with whom it shares then."""
        return None if account in self.alone or self.wall(account) else EVERYBODY

    def wall(self, account: str) -> str:
        """Return the group beyond which an account shares nothing; "" where there is none."""
        if not self.restricted:
            return ""
        name = self.groups.get(account, "")
        return name if name in self.restricted else ""


NOBODY_SAID = Sharing()


def by_payer(owners: Iterable[Owner]) -> dict[str, Sharing]:
    families: dict[str, list[Owner]] = defaultdict(list)
    for owner in owners:
        families[owner.payer].append(owner)
    return {payer: Sharing.of(family) for payer, family in families.items()}
