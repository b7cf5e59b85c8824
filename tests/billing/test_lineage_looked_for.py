from hypothesis import given, settings
from hypothesis import strategies as st

from registry.billing.graph import ImageNode, SnapshotNode, keys_of
from registry.billing.lineage import trace
from tests.billing.graphs import inventory
from tests.billing.tangles import nodes, tangles


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
