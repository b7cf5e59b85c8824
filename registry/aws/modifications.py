"""Which purchases a modification made of which, as AWS says it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from registry.aws.members import SHORT, Item, identity, members, words


@dataclass(frozen=True, slots=True)
class ModificationRecord:
    """The purchases that were modified, and those that this made: none until it is fulfilled."""

    sources: tuple[str, ...]
    results: tuple[str, ...]

    @classmethod
    def parse(cls, item: Item) -> Self:
        sources = members(item, "ReservedInstancesIds")
        results = members(item, "ModificationResults")
        made = (words(result, "ReservedInstancesId", SHORT) for result in results)
        return cls(
            sources=tuple(identity(source, "ReservedInstancesId") for source in sources),
            results=tuple(filter(None, made)),
        )


def modified_from(modifications: Iterable[ModificationRecord]) -> dict[str, list[str]]:
    """Return, by the id of each purchase that modifications made, the ids it was made of."""
    found: dict[str, list[str]] = defaultdict(list)
    for each in modifications:
        for made in each.results:
            found[made] += each.sources
    return dict(found)
