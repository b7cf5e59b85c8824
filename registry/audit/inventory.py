"""The mirror as the graph that lineage walks: all that is and all that was.

Read whole, for judging everything; or step by step as lineage asks, for a few images. AWS records
no source of an image that RegisterImage makes: of those made here, our registrations tell.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Generic, Protocol, TypeVar

from django.db.models import CharField, F, Func, Q, QuerySet

from registry.billing.codes import recorded_code
from registry.billing.graph import (
    ImageNode,
    InstanceNode,
    Inventory,
    SnapshotNode,
    VolumeNode,
    images_of_snapshots,
    root_volumes,
    snapshots_of_keys,
)
from registry.models import (
    Image,
    Instance,
    Method,
    Mirror,
    MirrorQuerySet,
    Registration,
    RegistrationStep,
    Snapshot,
    Volume,
)

PAGE = 5_000
_EVERYTHING = Q()


def load_inventory() -> Inventory:
    """Read the graph: five streams, only the columns that lineage needs."""
    images = {node.aws_id: node for node in _images()}
    snapshots = {node.aws_id: node for node in _snapshots()}
    instances = {node.aws_id: node for node in _instances()}
    return Inventory(
        images=images,
        snapshots=snapshots,
        volumes={node.aws_id: node for node in _volumes()},
        instances=instances,
        root_of=root_volumes(instances),
        made_from=images_of_snapshots(images),
        encrypted_with=snapshots_of_keys(snapshots),
    )


def read_on_demand(
    images_to_trace: Iterable[str] = (), *, planned: Iterable[ImageNode] = ()
) -> Inventory:
    """Return the same graph, of which only these images are read before something is asked for.

    An image that is `planned` is in it as if it were there.
    """
    instances = OnDemand(_instances)
    images = OnDemand(_images, planned)
    snapshots = OnDemand(_snapshots)
    images.read(images_to_trace)
    return Inventory(
        images=images,
        snapshots=snapshots,
        volumes=OnDemand(_volumes),
        instances=instances,
        root_of=_RootOf(instances),
        made_from=_MadeFrom(images),
        encrypted_with=_EncryptedWith(snapshots),
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
        rows = Image.objects.filter(root_snapshot_id__in=keys).values("aws_id")
        made = _registrations().filter(snapshot_id__in=keys).values("image_id")
        like = Q(aws_id__in=rows) | Q(aws_id__in=made)
        return images_of_snapshots(self._nodes.read_like(like))


class _EncryptedWith(Index[SnapshotNode]):
    def _look_up(self, keys: set[str]) -> Mapping[str, str]:
        rows = Snapshot.objects.filter(data_encryption_key_id__in=keys).values("aws_id")
        return snapshots_of_keys(self._nodes.read_like(Q(aws_id__in=rows)))


def _rows(model: type[Mirror], like: Q, *columns: str) -> Iterator[tuple[Any, ...]]:
    # The present last: of two rows with one id, the one that AWS still shows counts.
    order = F("gone_at").asc(nulls_last=True)
    rows: MirrorQuerySet[Mirror] = MirrorQuerySet(model)
    found = rows.filter(like).order_by(order, "pk").values_list("aws_id", "gone_at", *columns)
    # A cursor pays only for the whole graph.
    yield from found.iterator(chunk_size=PAGE) if like == _EVERYTHING else found


def _images(like: Q = _EVERYTHING) -> Iterator[ImageNode]:
    columns = (
        *("platform_details", "ancestry", "product_codes", "name", "owner_id", "usage_operation"),
        *("root_snapshot_id", "source_instance_id", "source_image_id", "created_at"),
    )
    made = {node.aws_id: node for node in _registered(like)}
    seen = set()
    for aws_id, gone_at, details, ancestry, products, *values in _rows(Image, like, *columns):
        node = ImageNode(aws_id, *values)
        seen.add(aws_id)
        yield replace(
            _completed(node, made.get(aws_id)),
            is_gone=gone_at is not None,
            usage_operation=recorded_code(node.usage_operation, details),
            ancestry=_ancestors(ancestry or ()),
            product_codes=tuple(code["id"] for code in products),
        )
    yield from (node for aws_id, node in made.items() if aws_id not in seen)


def _ancestors(entries: Iterable[Mapping[str, str]]) -> tuple[str, ...]:
    """Return the ids that GetImageAncestry names, each entry's and that of its source, in order."""
    ids = (entry[name] for entry in entries for name in ("image_id", "source_image_id"))
    return tuple(dict.fromkeys(aws_id for aws_id in ids if aws_id))


def _completed(node: ImageNode, made: ImageNode | None) -> ImageNode:
    """Return an image with what our registration of it knows and AWS does not say."""
    if made is None:
        return node
    return replace(
        node,
        root_snapshot_id=node.root_snapshot_id or made.root_snapshot_id,
        source_instance_id=node.source_instance_id or made.source_instance_id,
        source_image_id=node.source_image_id or made.source_image_id,
    )


def _registrations() -> QuerySet[Registration]:
    return Registration.objects.exclude(image_id="").order_by("pk")


def _registered(like: Q) -> Iterator[ImageNode]:
    # With the name that an image has for its id, so that it can be asked for as one.
    rows = _registrations().annotate(aws_id=F("image_id")).filter(like)
    for row in rows.select_related("account"):
        is_read = row.step == RegistrationStep.VERIFIED
        yield ImageNode(
            row.image_id,
            name=row.name,
            owner_id=row.account.number,
            usage_operation=row.usage_operation if is_read else None,
            root_snapshot_id=row.snapshot_id if row.method == Method.SNAPSHOT else "",
            source_instance_id=row.source_instance_id if row.method == Method.INSTANCE else "",
            source_image_id=row.source_image_id if row.method == Method.COPY else "",
            created_at=row.submitted_at,
        )


def _snapshots(like: Q = _EVERYTHING) -> Iterator[SnapshotNode]:
    columns = ("name", "description", "volume_id", "started_at", "data_encryption_key_id")
    for aws_id, gone_at, name, said, volume_id, started_at, key in _rows(Snapshot, like, *columns):
        yield SnapshotNode(aws_id, name, said, volume_id, gone_at is not None, started_at, key)


def _volumes(like: Q = _EVERYTHING) -> Iterator[VolumeNode]:
    columns = ("snapshot_id", "attachments", "source_volume_id")
    for aws_id, gone_at, snapshot_id, attachments, source_id in _rows(Volume, like, *columns):
        places = tuple((item["instance_id"], item["device"]) for item in attachments)
        yield VolumeNode(aws_id, snapshot_id, places, gone_at is not None, source_id)


def _instances(like: Q = _EVERYTHING) -> Iterator[InstanceNode]:
    codes = ("platform_details", "usage_operation", "usage_operation_updated_at")
    image = ("image_id", "image_name", "image_owner_id")
    for row in _rows(Instance, like, "name", *image, *codes, "root_device_name", "volumes"):
        aws_id, gone_at, name, image_id, image_name, owner_id, *rest = row
        details, code, updated_at, root, volumes = rest
        yield InstanceNode(
            aws_id,
            name=name,
            image_id=image_id,
            usage_operation=recorded_code(code, details),
            usage_operation_updated_at=updated_at,
            root_device_name=root,
            root_volume_id=volumes.get(root, ""),
            is_gone=gone_at is not None,
            image_name=image_name,
            image_owner_id=owner_id,
        )
