from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.billing.graph import ImageNode, InstanceNode, SnapshotNode, VolumeNode, key_of
from registry.billing.lineage import trace
from tests.billing.graphs import inventory
from tests.billing.tangles import NOON, nodes, tangles


def keys_of(node):
    """Yield the ids under which a walk asks for a thing: its own, and those it is indexed by."""
    yield node.aws_id
    if isinstance(node, ImageNode) and node.root_snapshot_id:
        yield node.root_snapshot_id
    elif isinstance(node, InstanceNode) and node.root_volume_id:
        yield node.root_volume_id
    elif isinstance(node, SnapshotNode) and node.data_encryption_key_id:
        yield key_of(node.data_encryption_key_id)


def traces(things):
    whole = inventory(*things)
    return {aws_id: trace(aws_id, whole) for aws_id in whole.images}


@settings(max_examples=400)
@given(tangles, nodes, st.booleans())
def test_an_image_looked_for_whatever_changes_its_lineage(things, new, is_removed):
    old = [node for node in things if node.aws_id == new.aws_id]
    kept = [node for node in things if node.aws_id != new.aws_id]
    after = kept if is_removed else [*kept, new]
    touched = {key for node in [*old, *after[len(kept) :]] for key in keys_of(node)}

    before, now = traces(things), traces(after)

    for image_id in before.keys() & now.keys():
        if before[image_id] != now[image_id]:
            assert before[image_id].looked_for & touched


@given(tangles)
def test_every_hop_was_looked_for(things):
    for found in traces(things).values():
        assert {hop.aws_id for hop in found.hops} <= found.looked_for


def test_what_no_id_can_be_is_not_kept():
    words = (
        f"Copied for DestinationAmi ami-1 from SourceAmi ami-{'a' * 80} for SourceSnapshot snap-2"
    )
    image = ImageNode("ami-1", root_snapshot_id="snap-1")

    found = trace("ami-1", inventory(image, SnapshotNode("snap-1", description=words)))

    assert found.looked_for == {"ami-1", "snap-1", "snap-2"}


IMAGE = ImageNode("ami-1", root_snapshot_id="snap-1", created_at=NOON)
FROM_VOLUME = (IMAGE, SnapshotNode("snap-1", volume_id="vol-1"))
VOLUME = VolumeNode("vol-1", snapshot_id="snap-0", attachments=(("i-1", "/a"),))
COPIED = SnapshotNode("snap-1", started_at=NOON, data_encryption_key_id="aes")
EARLY = NOON.replace(hour=1)


@pytest.mark.parametrize(
    ("things", "new"),
    [
        pytest.param([IMAGE], SnapshotNode("snap-1"), id="its snapshot"),
        pytest.param(FROM_VOLUME, VolumeNode("vol-1"), id="the volume"),
        pytest.param(
            FROM_VOLUME, InstanceNode("i-1", root_volume_id="vol-1"), id="what boots from it"
        ),
        pytest.param(
            [*FROM_VOLUME, VOLUME],
            InstanceNode("i-1", root_device_name="/a"),
            id="what it is attached to",
        ),
        pytest.param(
            [*FROM_VOLUME, VOLUME],
            ImageNode("ami-0", root_snapshot_id="snap-0"),
            id="the image of its snapshot",
        ),
        pytest.param(
            [*FROM_VOLUME, VOLUME, ImageNode("ami-0", root_snapshot_id="snap-0", created_at=NOON)],
            ImageNode("ami-00", root_snapshot_id="snap-0", created_at=EARLY),
            id="an older one",
        ),
        pytest.param(
            [IMAGE, COPIED],
            SnapshotNode(
                "snap-0", volume_id="vol-0", started_at=EARLY, data_encryption_key_id="aes"
            ),
            id="what has the same key",
        ),
        pytest.param(
            [ImageNode("ami-1", source_image_id="ami-2", ancestry=("ami-2", "ami-3"))],
            ImageNode("ami-3"),
            id="a far ancestor",
        ),
        pytest.param(
            [IMAGE],
            ImageNode("ami-0", root_snapshot_id="snap-1", created_at=EARLY),
            id="an older image with the same root",
        ),
        pytest.param(
            [replace(IMAGE, source_image_id="ami-2"), ImageNode("ami-2")],
            ImageNode("ami-0", root_snapshot_id="snap-1", created_at=EARLY),
            id="an older image with the same root as a copy",
        ),
    ],
)
def test_what_is_missing_was_looked_for(things, new):
    before, after = traces(things)["ami-1"], traces([*things, new])["ami-1"]

    assert before != after
    assert before.looked_for & set(keys_of(new))
