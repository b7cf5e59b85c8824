"""Losses that were planted, found in random lineages."""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from registry.billing.graph import ImageNode
from registry.billing.lineage import trace
from tests.billing.graphs import STEPS, branched, inventory

CODES = st.sampled_from(["RunInstances:0010", "RunInstances:0006", "RunInstances:000g"])
PLAIN = st.sampled_from(["RunInstances", ""])
STEPS_FROM = st.lists(
    st.tuples(st.sampled_from(STEPS), st.integers(0, 11)), min_size=1, max_size=12
)


def breaks(image_id, whole):
    return [hop.aws_id for hop in trace(image_id, whole).hops if hop.is_break]


@settings(max_examples=200)
@given(CODES, PLAIN, STEPS_FROM, st.data())
def test_every_descendant_shows_the_loss_at_the_edge_where_it_was(code, plain, steps, data):
    tree = branched(code, steps, data.draw(st.integers(0, len(steps) - 1)), plain)
    whole = inventory(*tree.chain.nodes)

    for image_id in tree.chain.images:
        wanted = [tree.lost_at] if image_id in tree.lost else []
        assert breaks(image_id, whole) == wanted


@settings(max_examples=200)
@given(CODES, PLAIN, STEPS_FROM, st.data())
def test_of_what_is_gone_the_rest_of_the_way_tells(code, plain, steps, data):
    """What nobody ever saw is not there, what is gone is; some codes were never recorded."""
    tree = branched(code, steps, data.draw(st.integers(0, len(steps) - 1)), plain)
    nodes: list[Any] = []
    for node in tree.chain.nodes:
        fate = data.draw(st.sampled_from(["there", "there", "gone", "unseen", "no code"]))
        if fate == "no code" and isinstance(node, ImageNode):
            nodes.append(replace(node, usage_operation=None))
        elif fate != "unseen":
            nodes.append(replace(node, is_gone=fate == "gone"))
    whole = inventory(*nodes)

    for image_id in whole.images:
        known = [hop for hop in trace(image_id, whole).hops if hop.usage_operation is not None]
        is_lost = [hop.aws_id in tree.lost for hop in known]
        # Never does the way go from what was lost back to what was not.
        assert is_lost == sorted(is_lost)
        is_found = any(is_lost) and not all(is_lost)
        wanted = [known[is_lost.index(True)].aws_id] if is_found else []
        assert breaks(image_id, whole) == wanted


@given(CODES, STEPS_FROM)
def test_nothing_is_lost_where_nothing_was(code, steps):
    tree = branched(code, steps, None, "")
    whole = inventory(*tree.chain.nodes)

    assert not tree.lost
    assert not any(breaks(image_id, whole) for image_id in tree.chain.images)


@settings(max_examples=100)
@given(CODES, PLAIN, STEPS_FROM, st.data())
def test_all_that_lost_it_there_has_one_cause(code, plain, steps, data):
    tree = branched(code, steps, data.draw(st.integers(0, len(steps) - 1)), plain)
    whole = inventory(*tree.chain.nodes)

    causes = {
        trace(image_id, whole).cause for image_id in tree.chain.images if image_id in tree.lost
    }

    assert len(causes) == 1
    assert causes.isdisjoint(trace(image_id, whole).cause for image_id in tree.kept)
