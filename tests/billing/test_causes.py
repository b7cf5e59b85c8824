import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.billing.graph import ImageNode, InstanceNode, SnapshotNode
from registry.billing.lineage import trace
from tests.billing.graphs import STEPS, grown, inventory
from tests.billing.tangles import NOON, tangles

PLAIN, RHEL = "RunInstances", "RunInstances:0010"


def image(number, code=PLAIN, snapshot="", **fields):
    return ImageNode(f"ami-{number}", usage_operation=code, root_snapshot_id=snapshot, **fields)


def copy_of(source, for_image, snapshot="snap-0"):
    return (
        f"Copied for DestinationAmi {for_image} from SourceAmi {source} for SourceSnapshot "
        f"{snapshot}. Task created on 1,650."
    )


GOOD = image(0, RHEL, "snap-0")
SERVER = InstanceNode(
    "i-1",
    image_id="ami-0",
    usage_operation=RHEL,
    usage_operation_updated_at=NOON,
    root_volume_id="vol-1",
)
PLAIN_SERVER = InstanceNode(
    "i-2", image_id="ami-9", usage_operation=PLAIN, usage_operation_updated_at=NOON
)


@pytest.mark.parametrize(
    ("nodes", "cause"),
    [
        pytest.param([image(1)], "ami-1", id="nothing is known"),
        pytest.param([image(1, source_image_id="ami-0"), GOOD], "ami-1", id="lost as a copy"),
        pytest.param(
            [image(1, source_image_id="ami-2"), image(2, source_image_id="ami-0"), GOOD],
            "ami-2",
            id="a copy of one that was lost",
        ),
        pytest.param(
            [image(1, snapshot="snap-1"), SnapshotNode("snap-1", volume_id="vol-1"), SERVER, GOOD],
            "ami-1",
            id="registered from a snapshot",
        ),
        pytest.param(
            [
                image(1, snapshot="snap-1", created_at=NOON),
                image(2, snapshot="snap-1", created_at=NOON.replace(hour=1)),
                SnapshotNode("snap-1", volume_id="vol-1"),
                SERVER,
                GOOD,
            ],
            "ami-2",
            id="the first of its root snapshot",
        ),
        pytest.param(
            [
                image(1, snapshot="snap-1", created_at=NOON),
                image(2, RHEL, snapshot="snap-1", created_at=NOON.replace(hour=1)),
            ],
            "ami-1",
            id="but that has its code",
        ),
        pytest.param(
            [image(1, source_image_id="ami-2"), image(2)], "ami-2", id="a copy, no break on record"
        ),
        pytest.param([image(1, source_image_id="ami-2")], "ami-2", id="a copy of what is gone"),
        pytest.param(
            [image(1, source_image_id="ami-2"), image(2, None)],
            "ami-2",
            id="a copy of what never had a code recorded",
        ),
        pytest.param(
            [
                image(1, snapshot="snap-1"),
                SnapshotNode("snap-1", description=copy_of("ami-2", "ami-1")),
            ],
            "ami-2",
            id="a copy, from the description",
        ),
        pytest.param(
            [
                image(1, snapshot="snap-1"),
                SnapshotNode("snap-1", description="[Copied snap-2 from eu-west-1]"),
                image(2, snapshot="snap-2"),
            ],
            "ami-2",
            id="registered from a copied snapshot",
        ),
        pytest.param(
            [
                image(1, snapshot="snap-1"),
                SnapshotNode("snap-1", description="[Copied snap-2 from eu-west-1]"),
            ],
            "snap-2",
            id="registered from a copied snapshot of which no image is known",
        ),
        pytest.param(
            [
                image(1, snapshot="snap-1"),
                SnapshotNode("snap-1", description="[Copied snap-0 from eu-west-1]"),
                GOOD,
            ],
            "ami-1",
            id="lost when its snapshot was copied",
        ),
        pytest.param(
            [image(1, source_image_id="ami-2"), image(2, source_image_id="ami-1")],
            "ami-1",
            id="copies of each other",
        ),
        pytest.param(
            [
                image(1, source_instance_id="i-2"),
                PLAIN_SERVER,
                image(9, None, source_image_id="ami-0"),
                GOOD,
            ],
            "ami-9",
            id="what the instance was launched from",
        ),
        pytest.param(
            [
                image(1, source_instance_id="i-2"),
                PLAIN_SERVER,
                image(9, RHEL),
            ],
            "i-2",
            id="the instance",
        ),
        pytest.param(
            [image(1, RHEL), image(2)],
            "ami-1",
            id="another image has nothing to do with it",
        ),
    ],
)
def test_each_cause(nodes, cause):
    assert trace("ami-1", inventory(*nodes)).cause == cause


steps = st.lists(st.sampled_from(STEPS), min_size=1, max_size=8)


@given(steps, steps, st.sampled_from([RHEL, "RunInstances:0006"]))
def test_all_that_descends_from_a_bad_image_has_one_cause(before, after, code):
    codes = [code] * (len(before) - 1) + [PLAIN] * (len(after) + 1)
    chain = grown(code, zip([*before, *after], codes, strict=True))
    whole = inventory(*chain.nodes)
    good, bad = chain.images[: len(before)], chain.images[len(before) :]

    causes = {trace(aws_id, whole).cause for aws_id in bad}

    # The image that lost it, or the snapshot whose copy it was registered from.
    assert len(causes) == 1
    assert causes <= {bad[0], *whole.snapshots}
    assert causes.isdisjoint(trace(aws_id, whole).cause for aws_id in good)


@given(steps, st.data())
def test_all_copies_of_a_bad_image_have_one_cause(before, data):
    chain = grown(RHEL, zip(before, [RHEL] * (len(before) - 1) + [PLAIN], strict=True))
    sources = [chain.images[-1]]
    copies = []
    for number in range(data.draw(st.integers(1, 5))):
        source = data.draw(st.sampled_from(sources))
        copies.append(ImageNode(f"ami-c{number}", usage_operation=PLAIN, source_image_id=source))
        sources.append(f"ami-c{number}")
    whole = inventory(*chain.nodes, *copies)

    assert len({trace(aws_id, whole).cause for aws_id in sources}) == 1


@settings(max_examples=200)
@given(tangles)
def test_any_tangle_has_a_cause(things):
    whole = inventory(*things)

    assert all(trace(aws_id, whole).cause for aws_id in whole.images)
