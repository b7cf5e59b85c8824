from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.billing.clues import Clues
from registry.billing.codes import parts
from registry.billing.expectation import expect
from registry.billing.graph import (
    ImageNode,
    InstanceNode,
    Node,
    SnapshotNode,
    VolumeNode,
    images_of_snapshots,
    root_volumes,
)
from registry.billing.lineage import trace
from registry.billing.walk import LONGEST
from tests.billing.graphs import STEPS, Chain, grown, inventory

PLAIN, RHEL = "RunInstances", "RunInstances:0010"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
BEFORE, AFTER = NOON - timedelta(hours=1), NOON + timedelta(hours=1)
BASE = ImageNode("ami-base", name="rhel9", owner_id="111", usage_operation=RHEL)
SERVER = InstanceNode(
    "i-0a",
    name="server",
    image_id="ami-base",
    usage_operation=RHEL,
    root_device_name="/dev/sda1",
    root_volume_id="vol-0a",
)


def links(*nodes, of="ami-1"):
    return [
        (link.aws_id, link.how, link.is_recorded, link.is_copy)
        for link in trace(of, inventory(*nodes)).links
    ]


def way(*nodes, of="ami-1"):
    return [hop.aws_id for hop in trace(of, inventory(*nodes)).hops]


def created(image="ami-1", instance="i-0a"):
    return f"Created by CreateImage({instance}) for {image} from vol-0a"


def copied(image="ami-1", source="ami-base", snapshot="snap-base"):
    return (
        f"Copied for DestinationAmi {image} from SourceAmi {source} for SourceSnapshot {snapshot}. "
        "Task created on 1,650,000,000,000."
    )


def registered(**fields):
    return ImageNode("ami-1", usage_operation=PLAIN, root_snapshot_id="snap-1", **fields)


FROM_BASE = ("ami-base", "It descends from")
ROOT = "Its snapshot's volume was the root of"


@pytest.mark.parametrize(
    ("nodes", "found"),
    [
        pytest.param([registered()], [], id="nothing is known"),
        pytest.param(
            [ImageNode("ami-1", source_instance_id="i-0a"), SERVER, BASE],
            [("i-0a", "It was created from", True, False), (*FROM_BASE, True, False)],
            id="CreateImage",
        ),
        pytest.param(
            [
                ImageNode("ami-1", source_instance_id="i-0a", source_image_id="ami-x"),
                SERVER,
                BASE,
            ],
            [("i-0a", "It was created from", True, False), (*FROM_BASE, True, False)],
            id="CreateImage, the instance before the image",
        ),
        pytest.param(
            [ImageNode("ami-1", source_instance_id="i-x", source_image_id="ami-base"), BASE],
            [("ami-base", "Its source instance was launched from", True, False)],
            id="CreateImage of an instance never seen",
        ),
        pytest.param(
            [ImageNode("ami-1", source_image_id="ami-base"), BASE],
            [("ami-base", "It is a copy of", True, True)],
            id="CopyImage",
        ),
        pytest.param(
            [registered(), SnapshotNode("snap-1", description=created()), SERVER, BASE],
            [("i-0a", "Its snapshot was taken from", False, False), (*FROM_BASE, False, False)],
            id="CreateImage, from the description",
        ),
        pytest.param(
            [
                registered(),
                SnapshotNode("snap-1", description=created("ami-2")),
                ImageNode("ami-2"),
                SERVER,
                BASE,
            ],
            [
                ("ami-2", "Its snapshot was made for", False, False),
                ("i-0a", "Its snapshot was taken from", False, False),
                (*FROM_BASE, False, False),
            ],
            id="the snapshot of another image",
        ),
        pytest.param(
            [
                registered(),
                SnapshotNode("snap-1", description=created("ami-2", "i-dead")),
                ImageNode("ami-2", source_image_id="ami-base"),
                BASE,
            ],
            [
                ("ami-2", "Its snapshot was made for", False, False),
                ("ami-base", "It is a copy of", True, True),
            ],
            id="the snapshot of another image, the instance never seen",
        ),
        pytest.param(
            [
                registered(),
                SnapshotNode("snap-1", description=created("ami-2", "i-dead"), volume_id="vol-9"),
                VolumeNode("vol-9", snapshot_id="snap-base"),
                ImageNode("ami-base", root_snapshot_id="snap-base"),
            ],
            [("ami-base", "Its volume was made from", True, False)],
            id="neither image nor instance seen, but the volume",
        ),
        pytest.param(
            [registered(), SnapshotNode("snap-1", description=copied()), BASE],
            [("ami-base", "Its snapshot was copied with", False, True)],
            id="CopyImage, from the description",
        ),
        pytest.param(
            [
                registered(),
                SnapshotNode("snap-1", description=copied("ami-2")),
                ImageNode("ami-2"),
                BASE,
            ],
            [
                ("ami-2", "Its snapshot was made for", False, False),
                ("ami-base", "Its snapshot was copied with", False, False),
            ],
            id="the snapshot of another copy",
        ),
        pytest.param(
            [
                registered(),
                SnapshotNode("snap-1", description=copied(source="ami-x")),
                SnapshotNode("snap-base", volume_id="vol-0a"),
                SERVER,
                BASE,
            ],
            [("i-0a", ROOT, True, False), (*FROM_BASE, True, False)],
            id="a copy of an image never seen, but its snapshot",
        ),
        pytest.param(
            [
                registered(source_image_id="ami-x"),
                SnapshotNode("snap-1", description=copied(source="ami-x")),
                SnapshotNode("snap-base", volume_id="vol-0a"),
                SERVER,
                BASE,
            ],
            [("i-0a", ROOT, True, False), (*FROM_BASE, True, False)],
            id="the same, recorded by AWS",
        ),
        pytest.param(
            [
                registered(),
                SnapshotNode("snap-1", description="[Copied snap-2 from us-east-1]"),
                SnapshotNode("snap-2", description="[Copied snap-3 from eu-west-1] again"),
                SnapshotNode("snap-3", volume_id="vol-0a"),
                SERVER,
                BASE,
            ],
            [("i-0a", ROOT, True, False), (*FROM_BASE, True, False)],
            id="a snapshot copied twice",
        ),
        pytest.param(
            [registered(), SnapshotNode("snap-1", volume_id="vol-0a"), SERVER, BASE],
            [("i-0a", ROOT, True, False), (*FROM_BASE, True, False)],
            id="a root volume",
        ),
        pytest.param(
            [
                registered(),
                SnapshotNode("snap-1", volume_id="vol-9"),
                VolumeNode("vol-9", attachments=(("i-0a", "/dev/sda1"),)),
                SERVER,
                BASE,
            ],
            [("i-0a", ROOT, True, False), (*FROM_BASE, True, False)],
            id="a volume attached as root",
        ),
        pytest.param(
            [
                registered(),
                SnapshotNode("snap-1", volume_id="vol-9"),
                VolumeNode("vol-9", attachments=(("i-0a", "/dev/sdf"), ("i-x", "/dev/sda1"))),
                SERVER,
                BASE,
            ],
            [],
            id="a volume that hung on the machine that built it",
        ),
        pytest.param(
            [
                registered(),
                SnapshotNode("snap-1", volume_id="vol-9"),
                VolumeNode("vol-9", attachments=(("i-0b", ""),)),
                InstanceNode("i-0b", usage_operation=RHEL),
            ],
            [],
            id="a device never recorded is no root",
        ),
        pytest.param(
            [
                registered(),
                SnapshotNode("snap-1", volume_id="vol-9"),
                VolumeNode("vol-9", snapshot_id="snap-base"),
                ImageNode("ami-base", root_snapshot_id="snap-base"),
            ],
            [("ami-base", "Its volume was made from", True, False)],
            id="a volume made of an image's snapshot",
        ),
        pytest.param(
            [
                registered(),
                SnapshotNode("snap-1", volume_id="vol-9"),
                VolumeNode("vol-9", snapshot_id="snap-2"),
                SnapshotNode("snap-2", volume_id="vol-0a"),
                SERVER,
                BASE,
            ],
            [("i-0a", ROOT, True, False), (*FROM_BASE, True, False)],
            id="a volume made of a snapshot of a root volume",
        ),
        pytest.param(
            [
                registered(),
                SnapshotNode(
                    "snap-1",
                    description="Created by AWS-VMImport service for import-ami-0ab",
                    volume_id="vol-0a",
                ),
                SERVER,
                BASE,
            ],
            [],
            id="an import, whatever it was imported with",
        ),
        pytest.param(
            [
                registered(),
                SnapshotNode("snap-1", volume_id="vol-ffffffff"),
                VolumeNode("vol-ffffffff", attachments=(("i-0a", "/dev/sda1"),)),
                SERVER,
                BASE,
            ],
            [],
            id="a copied snapshot, whose volume is none",
        ),
        pytest.param(
            [registered(), SnapshotNode("snap-1"), SERVER, ImageNode("ami-base")],
            [],
            id="a snapshot without a volume",
        ),
        pytest.param(
            [
                registered(),
                SnapshotNode("snap-1", volume_id="vol-9"),
                VolumeNode("vol-9"),
                ImageNode("ami-other"),
                InstanceNode("i-0b", image_id="ami-other"),
            ],
            [],
            id="an empty volume, and things of which little was recorded",
        ),
    ],
)
def test_each_way_back(nodes, found):
    assert links(*nodes) == found


def test_a_link_carries_what_is_known_of_the_thing():
    instance, image = trace(
        "ami-1", inventory(ImageNode("ami-1", source_instance_id="i-0a"), SERVER, BASE)
    ).links

    assert (instance.kind, instance.name, instance.usage_operation) == ("instance", "server", RHEL)
    assert (image.kind, image.name, image.usage_operation, image.owner_id) == (
        "image",
        "rhel9",
        RHEL,
        "111",
    )


def test_the_way_is_told_from_the_oldest_to_the_image():
    volume = VolumeNode("vol-9", snapshot_id="snap-2", is_gone=True)
    nodes = (
        registered(name="app"),
        SnapshotNode("snap-1", name="nightly", description="before", volume_id="vol-9"),
        volume,
        SnapshotNode("snap-2", volume_id="vol-0a", is_gone=True),
        SERVER,
        ImageNode("ami-base", name="rhel9", usage_operation=RHEL, is_gone=True),
    )

    hops = trace("ami-1", inventory(*nodes)).hops

    assert [(hop.kind, hop.aws_id, hop.name, hop.is_gone) for hop in hops] == [
        ("image", "ami-base", "rhel9", True),
        ("instance", "i-0a", "server", False),
        ("volume", "vol-0a", "", False),
        ("snapshot", "snap-2", "", True),
        ("volume", "vol-9", "", True),
        ("snapshot", "snap-1", "nightly", False),
        ("image", "ami-1", "app", False),
    ]
    assert [hop.usage_operation for hop in hops] == [RHEL, RHEL, None, None, None, None, PLAIN]
    assert [hop.detail for hop in hops] == [
        "",
        "",
        "not in the mirror",
        "",
        "",
        "before",
        "this AMI",
    ]


@pytest.mark.parametrize(
    ("nodes", "found"),
    [
        pytest.param([registered()], ["snap-1", "ami-1"], id="the snapshot"),
        pytest.param(
            [registered(source_image_id="ami-x")], ["snap-1", "ami-x", "ami-1"], id="the source"
        ),
        pytest.param(
            [registered(source_instance_id="i-x")], ["snap-1", "i-x", "ami-1"], id="the instance"
        ),
        pytest.param(
            [registered(), SnapshotNode("snap-1", volume_id="vol-x")],
            ["vol-x", "snap-1", "ami-1"],
            id="the volume",
        ),
        pytest.param(
            [registered(), SnapshotNode("snap-1", description=created("ami-1", "i-0b"))],
            ["i-0b", "snap-1", "ami-1"],
            id="the instance of a description",
        ),
        pytest.param(
            [registered(), SnapshotNode("snap-1", description=created("ami-0c", "i-0b"))],
            ["i-0b", "ami-0c", "snap-1", "ami-1"],
            id="both of a description",
        ),
        pytest.param(
            [registered(), SnapshotNode("snap-1", description=copied(source="ami-x"))],
            ["snap-base", "ami-x", "snap-1", "ami-1"],
            id="the source of a copy",
        ),
        pytest.param(
            [
                registered(source_image_id="ami-x"),
                SnapshotNode("snap-1", description=copied(source="ami-x")),
            ],
            ["snap-base", "snap-1", "ami-x", "ami-1"],
            id="the source of a copy, once",
        ),
        pytest.param(
            [registered(), SnapshotNode("snap-1", volume_id="vol-0a"), SERVER],
            ["ami-base", "i-0a", "vol-0a", "snap-1", "ami-1"],
            id="the image of an instance",
        ),
        pytest.param(
            [registered(), SnapshotNode("snap-1", volume_id="vol-ffffffff")],
            ["snap-1", "ami-1"],
            id="a volume that is none is not told",
        ),
    ],
)
def test_what_is_not_in_the_mirror_ends_the_way(nodes, found):
    hops = trace("ami-1", inventory(*nodes)).hops

    kinds = {"ami": "image", "snap": "snapshot", "vol": "volume", "i": "instance"}
    assert [hop.aws_id for hop in hops] == found
    assert [hop.kind for hop in hops] == [kinds[name.partition("-")[0]] for name in found]
    assert hops[0].detail in {"not in the mirror", ""}


@pytest.mark.parametrize(
    ("nodes", "found"),
    [
        pytest.param([ImageNode("ami-1", source_image_id="ami-1")], ["ami-1"], id="of itself"),
        pytest.param(
            [
                ImageNode("ami-1", source_image_id="ami-2"),
                ImageNode("ami-2", source_image_id="ami-1"),
            ],
            ["ami-2", "ami-1"],
            id="of two images",
        ),
        pytest.param(
            [
                ImageNode("ami-1", source_instance_id="i-0a"),
                InstanceNode("i-0a", image_id="ami-1"),
            ],
            ["i-0a", "ami-1"],
            id="of an image and its instance",
        ),
        pytest.param(
            [
                ImageNode("ami-1", source_instance_id="i-0a"),
                InstanceNode("i-0a", image_id="ami-2"),
                ImageNode("ami-2", source_instance_id="i-0a"),
            ],
            ["ami-2", "i-0a", "ami-1"],
            id="of two images and one instance",
        ),
        pytest.param(
            [
                registered(),
                SnapshotNode("snap-1", description="[Copied snap-2 from eu-west-1]"),
                SnapshotNode("snap-2", description="[Copied snap-1 from eu-west-1]"),
            ],
            ["snap-2", "snap-1", "ami-1"],
            id="of two snapshots",
        ),
        pytest.param(
            [
                registered(),
                SnapshotNode("snap-1", volume_id="vol-9"),
                VolumeNode("vol-9", snapshot_id="snap-1"),
            ],
            ["vol-9", "snap-1", "ami-1"],
            id="of a snapshot and its volume",
        ),
        pytest.param(
            [
                registered(),
                SnapshotNode("snap-1", volume_id="vol-9"),
                VolumeNode("vol-9", snapshot_id="snap-2"),
                SnapshotNode("snap-2", volume_id="vol-9"),
            ],
            ["snap-2", "vol-9", "snap-1", "ami-1"],
            id="of two snapshots of one volume",
        ),
        pytest.param(
            [registered(), SnapshotNode("snap-1", description=copied(source="ami-1"))],
            ["snap-1", "ami-1"],
            id="of an image copied from itself",
        ),
    ],
)
def test_a_cycle_ends(nodes, found):
    assert way(*nodes) == found


@pytest.mark.parametrize("step", STEPS)
def test_fifty_images_are_walked(step):
    chain = grown(RHEL, [(step, PLAIN)] * 50)

    found = trace(chain.images[-1], inventory(*chain.nodes))

    assert found.hops[-1].aws_id == chain.images[-1]
    assert chain.images[0] in [hop.aws_id for hop in found.hops]
    assert [hop.aws_id for hop in found.hops if hop.is_break] == [chain.images[1]]


def test_a_longer_way_is_cut():
    chain = grown(RHEL, [(Chain.copy, PLAIN)] * 2 * LONGEST)

    found = trace(chain.images[-1], inventory(*chain.nodes))

    assert len(found.links) == LONGEST


def test_a_thousand_restored_snapshots_are_walked():
    nodes: list[Node] = [registered(), SnapshotNode("snap-1", volume_id="vol-1")]
    for number in range(1, 1001):
        nodes.append(VolumeNode(f"vol-{number}", snapshot_id=f"snap-{number + 1}"))
        nodes.append(SnapshotNode(f"snap-{number + 1}", volume_id=f"vol-{number + 1}"))

    assert len(way(*nodes)) == 2003


@pytest.mark.parametrize(
    ("changed_at", "image", "has_changed"),
    [
        pytest.param(BEFORE, {"created_at": NOON}, False, id="before the image was made"),
        pytest.param(NOON, {"created_at": NOON}, False, id="at that moment"),
        pytest.param(AFTER, {"created_at": NOON}, True, id="after it"),
        pytest.param(None, {"created_at": NOON}, False, id="never recorded"),
        pytest.param(AFTER, {}, False, id="the image's time never recorded"),
    ],
)
def test_a_code_that_changed_since_tells_nothing(changed_at, image, has_changed):
    nodes = (
        ImageNode("ami-1", source_instance_id="i-0a", **image),
        InstanceNode("i-0a", usage_operation=RHEL, usage_operation_updated_at=changed_at),
    )

    (link,) = trace("ami-1", inventory(*nodes)).links

    assert link.has_changed is has_changed


def test_a_code_that_changed_since_the_snapshot_tells_nothing():
    nodes = (
        registered(created_at=AFTER),
        SnapshotNode("snap-1", volume_id="vol-9", started_at=BEFORE),
        VolumeNode("vol-9", attachments=(("i-0a", "/dev/sda1"),)),
        InstanceNode(
            "i-0a",
            usage_operation=RHEL,
            usage_operation_updated_at=NOON,
            root_device_name="/dev/sda1",
        ),
    )

    (link,) = trace("ami-1", inventory(*nodes)).links

    assert link.has_changed


def test_the_earliest_time_on_the_way_counts():
    nodes = (
        registered(created_at=BEFORE),
        SnapshotNode("snap-1", volume_id="vol-9", started_at=AFTER),
        VolumeNode("vol-9", attachments=(("i-0a", "/dev/sda1"),)),
        InstanceNode(
            "i-0a",
            usage_operation=RHEL,
            usage_operation_updated_at=NOON,
            root_device_name="/dev/sda1",
        ),
    )

    (link,) = trace("ami-1", inventory(*nodes)).links

    assert link.has_changed


def test_an_instance_of_which_the_image_was_never_recorded_ends_the_way():
    nodes = (ImageNode("ami-1", source_instance_id="i-0a"), InstanceNode("i-0a"))

    assert way(*nodes) == ["i-0a", "ami-1"]


def test_a_far_instance_is_compared_with_the_image_made_of_it():
    pro = "RunInstances:0g00"
    nodes = (
        ImageNode("ami-1", usage_operation=PLAIN, source_image_id="ami-2", created_at=AFTER),
        ImageNode("ami-2", usage_operation=PLAIN, source_instance_id="i-0a", created_at=BEFORE),
        InstanceNode(
            "i-0a", image_id="ami-0", usage_operation=pro, usage_operation_updated_at=NOON
        ),
        ImageNode("ami-0", usage_operation=PLAIN),
    )

    found = trace("ami-1", inventory(*nodes))

    assert [link.has_changed for link in found.links] == [False, True, False]
    assert not any(hop.is_break for hop in found.hops)
    assert expect(Clues(usage_operation=PLAIN, links=found.links)).usage_operation == PLAIN


@pytest.mark.parametrize(
    ("images", "oldest"),
    [
        pytest.param([("ami-1", AFTER), ("ami-2", BEFORE)], "ami-2", id="the second is older"),
        pytest.param([("ami-1", BEFORE), ("ami-2", AFTER)], "ami-1", id="the first is older"),
        pytest.param([("ami-1", None), ("ami-2", AFTER)], "ami-2", id="one without a time"),
        pytest.param([("ami-2", NOON), ("ami-1", NOON)], "ami-1", id="the same time"),
        pytest.param([("ami-2", None), ("ami-1", None)], "ami-1", id="no times"),
    ],
)
def test_the_oldest_image_of_a_snapshot_is_its_origin(images, oldest):
    nodes = {
        aws_id: ImageNode(aws_id, root_snapshot_id="snap-1", created_at=at) for aws_id, at in images
    }

    assert images_of_snapshots(nodes) == {"snap-1": oldest}


def test_what_was_never_recorded_is_in_no_index():
    assert images_of_snapshots({"ami-1": ImageNode("ami-1")}) == {}
    assert root_volumes({"i-1": InstanceNode("i-1"), "i-0a": SERVER}) == {"vol-0a": "i-0a"}


steps = st.lists(st.sampled_from(STEPS), min_size=1, max_size=20)
licensed = st.sampled_from([RHEL, "RunInstances:0006", "RunInstances:1014", "RunInstances:000g"])


@given(steps, licensed, st.data())
def test_a_loss_is_found_at_the_edge_where_it_was_planted(ways, code, data):
    lost_at = data.draw(st.integers(1, len(ways)))
    kept = lost_at - 1
    chain = grown(code, zip(ways, [code] * kept + [PLAIN] * len(ways), strict=False))

    found = trace(chain.images[-1], inventory(*chain.nodes))

    assert [hop.aws_id for hop in found.hops if hop.is_break] == [chain.images[lost_at]]
    expected = expect(Clues(usage_operation=PLAIN, links=found.links))
    assert parts(expected.usage_operation) == parts(code)


@given(steps, licensed)
def test_nothing_is_lost_where_every_code_is_kept(ways, code):
    chain = grown(code, [(step, code) for step in ways])

    found = trace(chain.images[-1], inventory(*chain.nodes))

    assert not any(hop.is_break for hop in found.hops)
    assert {link.usage_operation for link in found.links} == {code}


@given(steps, licensed, st.data())
def test_codes_that_were_never_recorded_hide_no_loss(ways, code, data):
    first = data.draw(st.integers(1, len(ways)))
    later = data.draw(st.lists(st.sampled_from([None, PLAIN]), min_size=20, max_size=20))
    codes = [*[None] * (first - 1), PLAIN, *later]
    chain = grown(code, zip(ways, codes, strict=False))

    found = trace(chain.images[-1], inventory(*chain.nodes))

    assert [hop.aws_id for hop in found.hops if hop.is_break] == [chain.images[first]]


@given(st.data())
def test_any_tangle_ends(data):
    ids = [f"{kind}-{number}" for kind in ("ami", "snap", "vol", "i") for number in range(3)]
    some = st.sampled_from(["", "x-1", *ids])
    words = st.sampled_from(
        ["", "[Copied snap-0 from eu-west-1]", created("ami-0", "i-0"), copied("ami-1", "ami-2")]
    )
    nodes: list[Node] = []
    for number in range(3):
        nodes += [
            ImageNode(
                f"ami-{number}",
                root_snapshot_id=data.draw(some),
                source_instance_id=data.draw(some),
                source_image_id=data.draw(some),
            ),
            SnapshotNode(f"snap-{number}", description=data.draw(words), volume_id=data.draw(some)),
            VolumeNode(f"vol-{number}", snapshot_id=data.draw(some)),
            InstanceNode(f"i-{number}", image_id=data.draw(some), root_volume_id=data.draw(some)),
        ]

    found = trace("ami-0", inventory(*nodes))

    assert found.hops[-1].aws_id == "ami-0"
    assert len(found.hops) < 30
