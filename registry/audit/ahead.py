"""Read what many lineages need at once: in rounds, as many as the longest of them has hops."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any, Generic, Protocol, TypeVar

from registry.billing.graph import Inventory
from registry.billing.lineage import trace

_V = TypeVar("_V")
_V_co = TypeVar("_V_co", covariant=True)


class _Reads(Protocol[_V_co]):
    """A part of an inventory that is read on demand."""

    def __iter__(self) -> Iterator[str]: ...
    def __len__(self) -> int: ...
    def __getitem__(self, key: str) -> _V_co: ...
    def has_read(self, key: str) -> bool: ...
    def read(self, keys: Iterable[str]) -> None: ...


def read_ahead(
    inventory: Inventory, image_ids: Iterable[str], *, likely: Iterable[str] = ()
) -> None:
    """Read all that judging these images will ask `inventory` for, which is read on demand.

    That is their lineages, and their root snapshots, which tell what made them. The ids that are
    `likely` among it are read at once; each round saved is a lineage less to walk for each image.
    """
    waiting = [_Waiting(getattr(inventory, part.name)) for part in fields(Inventory)]
    names = (part.name for part in fields(Inventory))
    parts: dict[str, Any] = dict(zip(names, waiting, strict=True))
    known = Inventory(**parts)
    for part in waiting:
        part.want(likely)
        part.read_wanted()
    rest = list(image_ids)
    while rest:
        rest = [image_id for image_id in rest if _lacks(image_id, known, waiting)]
        for part in waiting:
            part.read_wanted()


def _lacks(image_id: str, known: Inventory, waiting: list["_Waiting[Any]"]) -> bool:
    """Say whether judging an image asks for something that has not been read; note what."""
    before = sum(part.asked for part in waiting)
    # An image that is not there ends it at once.
    image = known.images.get(image_id)
    if image:
        trace(image_id, known)
        known.snapshots.get(image.root_snapshot_id)
    return sum(part.asked for part in waiting) > before


class _Waiting(Mapping[str, _V], Generic[_V]):
    """What has been read so far; what else is asked for is noted, and not there for now."""

    def __init__(self, part: _Reads[_V]) -> None:
        self._part = part
        self._wanted: set[str] = set()
        self.asked = 0

    def __getitem__(self, key: str) -> _V:
        if not self._part.has_read(key):
            self._wanted.add(key)
            self.asked += 1
            raise KeyError(key)
        return self._part[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._part)

    def __len__(self) -> int:
        return len(self._part)

    def want(self, keys: Iterable[str]) -> None:
        self._wanted.update(keys)

    def read_wanted(self) -> None:
        self._part.read(self._wanted)
        self._wanted.clear()
