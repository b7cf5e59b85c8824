"""The mirror as the graph that lineage walks: all that is and all that was.

Read whole, for judging everything; or step by step as lineage asks, for a few images.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Generic, Protocol, TypeVar

from django.db.models import CharField, F, Func, Q

from registry.billing.codes import recorded_code
from registry.billing.graph import (
    ImageNode,
    InstanceNode,
    Inventory,
    SnapshotNode,
    VolumeNode,
    images_of_snapshots,
    root_volumes,
)
from registry.models import Image, Instance, Mirror, MirrorQuerySet, Snapshot, Volume

PAGE = 5_000
_EVERYTHING = Q()


def load_inventory() -> Inventory:
    """Read the graph: four streams, only the columns that lineage needs."""
    images = {node.aws_id: node for node in _images()}
    instances = {node.aws_id: node for node in _instances()}
    return Inventory(
        images=images,
        snapshots={node.aws_id: node for node in _snapshots()},
        volumes={node.aws_id: node for node in _volumes()},
        instances=instances,
        root_of=root_volumes(instances),
        made_from=images_of_snapshots(images),
    )


def read_on_demand(
    images_to_trace: Iterable[str] = (), *, planned: Iterable[ImageNode] = ()
) -> Inventory:
    """Return the same graph, of which only these images are read before something is asked for.

    An image that is `planned` is in it as if it were there.
    """
    instances = OnDemand(_instances)
    images = OnDemand(_images, planned)
    images.read(images_to_trace)
    return Inventory(
        images=images,
        snapshots=OnDemand(_snapshots),
        volumes=OnDemand(_volumes),
        instances=instances,
        root_of=_RootOf(instances),
        made_from=_MadeFrom(images),
    )


class _Node(Protocol):
    @property
    def aws_id(self) -> str: ...


_N = TypeVar("_N", bound=_Node)


class OnDemand(Mapping[str, _N], Generic[_N]):
    """Nodes by id, each read when it is asked for. What was found so far can be iterated."""

    def __init__(self, read: Callable[[Q], Iterator[_N]], known: Iterable[_N] = ()) -> None:
        self._read = read
        self._found: dict[str, _N | None] = {"": None} | {node.aws_id: node for node in known}

    def __getitem__(self, aws_id: str) -> _N:
        self.read([aws_id])
        node = self._found[aws_id]
        if node is None:
            raise KeyError(aws_id)
        return node

    def __iter__(self) -> Iterator[str]:
        return (aws_id for aws_id, node in self._found.items() if node is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def has_read(self, aws_id: str) -> bool:
        return aws_id in self._found

    def read(self, ids: Iterable[str]) -> None:
        """Read the nodes with these ids at once."""
        wanted = set(ids) - self._found.keys()
        if wanted:
            self._found.update(dict.fromkeys(wanted))
            self._found.update(self._all(Q(aws_id__in=wanted)))

    def read_like(self, ids: Q) -> dict[str, _N]:
        """Read and return the nodes one of whose rows is like this."""
        found = self._all(ids)
        self._found.update(found)
        return found

    def _all(self, like: Q) -> dict[str, _N]:
        return {node.aws_id: node for node in self._read(like)}


class Index(Mapping[str, str], Generic[_N]):
    """Ids by the id of something else, each looked for when it is asked for."""

    def __init__(self, nodes: OnDemand[_N]) -> None:
        self._nodes = nodes
        self._found: dict[str, str] = {"": ""}

    def __getitem__(self, key: str) -> str:
        self.read([key])
        if not self._found[key]:
            raise KeyError(key)
        return self._found[key]

    def __iter__(self) -> Iterator[str]:
        return (key for key, aws_id in self._found.items() if aws_id)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def has_read(self, key: str) -> bool:
        return key in self._found

    def read(self, keys: Iterable[str]) -> None:
        """Look for what belongs to these keys at once."""
        wanted = set(keys) - self._found.keys()
        if wanted:
            found = self._look_up(wanted)
            self._found.update((key, found.get(key, "")) for key in wanted)

    def _look_up(self, keys: set[str]) -> Mapping[str, str]:
        raise NotImplementedError


class _RootOf(Index[InstanceNode]):
    def _look_up(self, keys: set[str]) -> Mapping[str, str]:
        root = Func(
            F("volumes"),
            F("root_device_name"),
            function="jsonb_extract_path_text",
            output_field=CharField(),
        )
        rows = Instance.objects.alias(root=root).filter(root__in=keys)
        return root_volumes(self._nodes.read_like(Q(aws_id__in=rows.values("aws_id"))))


class _MadeFrom(Index[ImageNode]):
    def _look_up(self, keys: set[str]) -> Mapping[str, str]:
        rows = Image.objects.filter(root_snapshot_id__in=keys)
        return images_of_snapshots(self._nodes.read_like(Q(aws_id__in=rows.values("aws_id"))))


def _rows(model: type[Mirror], like: Q, *columns: str) -> Iterator[tuple[Any, ...]]:
    # The present last: of two rows with one id, the one that AWS still shows counts.
    order = F("gone_at").asc(nulls_last=True)
    rows: MirrorQuerySet[Mirror] = MirrorQuerySet(model)
    found = rows.filter(like).order_by(order, "pk").values_list("aws_id", "gone_at", *columns)
    # A cursor pays only for the whole graph.
    yield from found.iterator(chunk_size=PAGE) if like == _EVERYTHING else found


def _images(like: Q = _EVERYTHING) -> Iterator[ImageNode]:
    columns = (
        *("platform_details", "name", "owner_id", "usage_operation", "root_snapshot_id"),
        *("source_instance_id", "source_image_id", "created_at"),
    )
    for aws_id, gone_at, details, *values in _rows(Image, like, *columns):
        node = ImageNode(aws_id, *values)
        code = recorded_code(node.usage_operation, details)
        yield replace(node, is_gone=gone_at is not None, usage_operation=code)


def _snapshots(like: Q = _EVERYTHING) -> Iterator[SnapshotNode]:
    columns = ("name", "description", "volume_id", "started_at")
    for aws_id, gone_at, *values, started_at in _rows(Snapshot, like, *columns):
        node = SnapshotNode(aws_id, *values)
        yield replace(node, is_gone=gone_at is not None, started_at=started_at)


def _volumes(like: Q = _EVERYTHING) -> Iterator[VolumeNode]:
    columns = ("snapshot_id", "attachments")
    for aws_id, gone_at, snapshot_id, attachments in _rows(Volume, like, *columns):
        places = tuple((item["instance_id"], item["device"]) for item in attachments)
        yield VolumeNode(aws_id, snapshot_id, places, is_gone=gone_at is not None)


def _instances(like: Q = _EVERYTHING) -> Iterator[InstanceNode]:
    codes = ("platform_details", "usage_operation", "usage_operation_updated_at")
    for row in _rows(Instance, like, "name", "image_id", *codes, "root_device_name", "volumes"):
        aws_id, gone_at, name, image_id, details, code, updated_at, root, volumes = row
        yield InstanceNode(
            aws_id,
            name=name,
            image_id=image_id,
            usage_operation=recorded_code(code, details),
            usage_operation_updated_at=updated_at,
            root_device_name=root,
            root_volume_id=volumes.get(root, ""),
            is_gone=gone_at is not None,
        )
