from datetime import UTC, datetime, timedelta

import pytest

from registry.billing.clues import Clues
from registry.billing.expectation import expect
from registry.billing.graph import (
    ImageNode,
    InstanceNode,
    SnapshotNode,
    VolumeNode,
    snapshots_of_keys,
)
from registry.billing.lineage import trace
from tests.billing.graphs import inventory

PLAIN, RHEL = "RunInstances", "RunInstances:0010"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
BEFORE, AFTER = NOON - timedelta(hours=1), NOON + timedelta(hours=1)
RED_HAT, RED_HAT_NAME = "309956199498", "RHEL-9.4.0_HVM-20240605-x86_64-82-Hourly2-GP3"
IMAGE = ImageNode("ami-1", usage_operation=PLAIN, root_snapshot_id="snap-1")
SERVER = InstanceNode("i-1", usage_operation=RHEL, root_volume_id="vol-1")


def traced(*nodes):
    return trace("ami-1", inventory(*nodes))


def links(*nodes):
    return [(link.aws_id, link.how, link.is_recorded) for link in traced(*nodes).links]


def way(*nodes):
    return [(hop.aws_id, hop.detail) for hop in traced(*nodes).hops[:-1]]


def encrypted(aws_id, at, key="aes-1", **fields):
    return SnapshotNode(aws_id, started_at=at, data_encryption_key_id=key, **fields)


COPIED = {"volume_id": "vol-ffffffff", "description": "nightly"}


def test_a_copied_snapshot_is_followed_by_its_encryption_key():
    source = encrypted("snap-0", BEFORE, volume_id="vol-1", description="by hand")
    nodes = (IMAGE, encrypted("snap-1", NOON, **COPIED), source, SERVER)

    assert links(*nodes) == [("i-1", "Its snapshot's volume was the root of", False)]
    assert way(*nodes)[2:] == [
        ("snap-0", "It has the same encryption key. by hand"),
        ("snap-1", "nightly"),
    ]


def test_what_is_behind_a_key_is_no_record():
    base = ImageNode("ami-0", usage_operation=RHEL, source_image_id="ami-00")
    source = encrypted("snap-0", BEFORE, volume_id="vol-1")
    server = InstanceNode("i-1", image_id="ami-0", root_volume_id="vol-1")
    root = ImageNode("ami-00", usage_operation=RHEL)

    found = traced(IMAGE, encrypted("snap-1", NOON, **COPIED), source, server, base, root)

    assert [(link.aws_id, link.is_recorded) for link in found.links] == [
        ("i-1", False),
        ("ami-0", False),
        ("ami-00", False),
    ]
    assert expect(Clues(usage_operation=PLAIN, links=found.links)).confidence == "medium"


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(encrypted("snap-0", AFTER, volume_id="vol-1"), id="younger"),
        pytest.param(encrypted("snap-0", NOON, volume_id="vol-1"), id="as old"),
        pytest.param(encrypted("snap-0", None, volume_id="vol-1"), id="of no known age"),
        pytest.param(encrypted("snap-0", BEFORE, key="aes-2", volume_id="vol-1"), id="another key"),
        pytest.param(encrypted("snap-0", BEFORE, key="", volume_id="vol-1"), id="not encrypted"),
        pytest.param(encrypted("snap-0", BEFORE, **COPIED), id="of which no more is known"),
    ],
)
def test_other_snapshots_tell_nothing(source):
    assert links(IMAGE, encrypted("snap-1", NOON, **COPIED), source, SERVER) == []


def test_what_has_a_source_of_its_own_is_not_followed_by_its_key():
    imported = "Created by AWS-VMImport service for import-snap-0a1"
    source = encrypted("snap-0", BEFORE, volume_id="vol-1")

    assert links(IMAGE, encrypted("snap-1", NOON, description=imported), source, SERVER) == []


def test_a_copy_of_a_snapshot_never_seen_is_followed_by_its_key():
    copied = encrypted("snap-1", NOON, description="[Copied snap-9 from eu-west-1]")
    source = encrypted("snap-0", BEFORE, volume_id="vol-1")

    assert [aws_id for aws_id, _, _ in links(IMAGE, copied, source, SERVER)] == ["i-1"]


def test_of_snapshots_with_one_key_the_oldest_that_leads_on_counts():
    nodes = [
        encrypted("snap-1", BEFORE, **COPIED),
        encrypted("snap-2", AFTER, volume_id="vol-1"),
        encrypted("snap-3", NOON, description="[Copied snap-9 from eu-west-1]"),
        encrypted("snap-4", None, volume_id="vol-1"),
        encrypted("snap-5", BEFORE, key="", volume_id="vol-1"),
    ]

    assert snapshots_of_keys({node.aws_id: node for node in nodes}) == {"aes-1": "snap-3"}


def test_a_copied_volume_is_followed():
    nodes = (
        IMAGE,
        SnapshotNode("snap-1", volume_id="vol-3"),
        VolumeNode("vol-3", source_volume_id="vol-2"),
        VolumeNode("vol-2", source_volume_id="vol-1"),
        SERVER,
    )

    assert links(*nodes) == [("i-1", "Its snapshot's volume was the root of", True)]
    assert [aws_id for aws_id, _ in way(*nodes)] == ["i-1", "vol-1", "vol-2", "vol-3", "snap-1"]


def test_volumes_copied_from_each_other_end():
    nodes = (
        IMAGE,
        SnapshotNode("snap-1", volume_id="vol-3"),
        VolumeNode("vol-3", source_volume_id="vol-2"),
        VolumeNode("vol-2", source_volume_id="vol-3"),
    )

    assert [aws_id for aws_id, _ in way(*nodes)] == ["vol-2", "vol-3", "snap-1"]


def test_the_image_of_an_instance_is_known_by_what_aws_tells_of_it():
    machine = InstanceNode(
        "i-1",
        image_id="ami-gone",
        usage_operation=PLAIN,
        usage_operation_updated_at=BEFORE,
        image_name=RED_HAT_NAME,
        image_owner_id=RED_HAT,
    )

    found = traced(ImageNode("ami-1", usage_operation=PLAIN, source_instance_id="i-1"), machine)

    _, base = found.links
    assert (base.aws_id, base.name, base.usage_operation) == ("ami-gone", RED_HAT_NAME, None)
    assert found.hops[0].name == RED_HAT_NAME
    assert found.hops[0].detail == "not in the mirror"
    assert not any(hop.is_break for hop in found.hops)
    assert expect(Clues(usage_operation=PLAIN, links=found.links)).usage_operation == RHEL


def test_what_the_mirror_knows_of_an_image_counts_before_what_an_instance_is_told_of_it():
    machine = InstanceNode("i-1", image_id="ami-0", image_name="as it was", image_owner_id="1")
    base = ImageNode("ami-0", name="as it is", owner_id="2")

    *_, link = traced(ImageNode("ami-1", source_instance_id="i-1"), machine, base).links

    assert (link.name, link.owner_id) == ("as it is", "2")


COPY = ImageNode(
    "ami-1",
    usage_operation=PLAIN,
    source_image_id="ami-2",
    root_snapshot_id="snap-1",
    ancestry=("ami-1", "ami-2", "ami-3", "ami-4"),
)


def test_an_ancestry_leads_past_images_that_were_never_seen():
    base = ImageNode("ami-4", usage_operation=RHEL)

    assert links(COPY, base) == [("ami-4", "Its recorded ancestor is", True)]
    assert way(COPY, base) == [
        ("ami-4", ""),
        ("ami-3", "from GetImageAncestry"),
        ("ami-2", "not in the mirror"),
    ]


def test_an_ancestry_of_which_nothing_was_ever_seen_leads_on_to_the_snapshot():
    snapshot = SnapshotNode("snap-1", volume_id="vol-1")

    assert [aws_id for aws_id, _ in way(COPY, snapshot, SERVER)] == [
        *("i-1", "vol-1", "snap-1"),
        *("ami-4", "ami-3", "ami-2"),
    ]


def test_no_ancestry_is_needed_where_the_parent_is_known():
    parent, base = ImageNode("ami-2"), ImageNode("ami-4", usage_operation=RHEL)

    assert [aws_id for aws_id, _, _ in links(COPY, parent, base)] == ["ami-2"]


def test_an_image_that_no_mirror_knows_is_no_break():
    unknown = ImageNode("ami-2", source_image_id="ami-3")
    base = ImageNode("ami-3", usage_operation=RHEL)

    found = traced(COPY, unknown, base)

    assert [hop.aws_id for hop in found.hops if hop.is_break] == ["ami-1"]
