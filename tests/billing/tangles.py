"""Small inventories in which everything may point to everything."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from registry.billing.graph import ImageNode, InstanceNode, Node, SnapshotNode, VolumeNode

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
_numbers = st.integers(0, 2)
_codes = st.sampled_from([None, "", "RunInstances", "RunInstances:0010", "RunInstances:0002"])
_times = st.one_of(st.none(), st.integers(0, 3).map(lambda hours: NOON + timedelta(hours=hours)))


def _named(prefix: str) -> st.SearchStrategy[str]:
    return _numbers.map(lambda number: f"{prefix}-{number}")


def _named_or_none(prefix: str) -> st.SearchStrategy[str]:
    return st.one_of(st.just(""), _named(prefix))


_descriptions = st.one_of(
    st.just(""),
    st.just("Created by AWS-VMImport service for import-snap-0a1"),
    st.builds("Created by CreateImage({}) for {}".format, _named("i"), _named("ami")),
    st.builds("[Copied {} from eu-west-1]".format, _named("snap")),
    st.builds(
        "Copied for DestinationAmi {} from SourceAmi {} for SourceSnapshot {}".format,
        _named("ami"),
        _named("ami"),
        _named("snap"),
    ),
)
_images = st.builds(
    ImageNode,
    _named("ami"),
    usage_operation=_codes,
    root_snapshot_id=_named_or_none("snap"),
    source_instance_id=_named_or_none("i"),
    source_image_id=_named_or_none("ami"),
    created_at=_times,
    is_gone=st.booleans(),
    ancestry=st.lists(_named("ami"), max_size=2).map(tuple),
)
_snapshots = st.builds(
    SnapshotNode,
    _named("snap"),
    description=_descriptions,
    volume_id=_named_or_none("vol"),
    is_gone=st.booleans(),
    started_at=_times,
    data_encryption_key_id=_named_or_none("aes"),
)
_devices = st.sampled_from(["/a", "/b", ""])
_volumes = st.builds(
    VolumeNode,
    _named("vol"),
    snapshot_id=_named_or_none("snap"),
    attachments=st.lists(st.tuples(_named("i"), _devices), max_size=2).map(tuple),
    is_gone=st.booleans(),
    source_volume_id=_named_or_none("vol"),
)
_instances = st.builds(
    InstanceNode,
    _named("i"),
    image_id=_named_or_none("ami"),
    usage_operation=_codes,
    usage_operation_updated_at=_times,
    root_device_name=_devices,
    root_volume_id=_named_or_none("vol"),
    is_gone=st.booleans(),
    image_name=st.sampled_from(["", "RHEL-9"]),
    image_owner_id=st.sampled_from(["", "309956199498"]),
)
nodes: st.SearchStrategy[Node] = st.one_of(_images, _snapshots, _volumes, _instances)
# No two with one id: in the mirror, too, only one of them counts.
tangles = st.lists(nodes, max_size=12, unique_by=lambda node: node.aws_id)
