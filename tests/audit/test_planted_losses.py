"""Losses planted in the simulated AWS at some depth, found in the mirror at that edge."""

import random

import pytest

from registry.audit.inventory import load_inventory
from registry.aws import Access, connect
from registry.billing.lineage import trace
from registry.models import Image, Scope
from registry.sync import sync_scope
from sandbox.aws.builders import Builder, root_volume
from sandbox.aws.images import snapshots_of
from sandbox.aws.scope import Scope as Place
from tests.conftest import BASE_ACCOUNT
from tests.factories import LATER, NOON, make_account

pytestmark = pytest.mark.django_db
RHEL = "RunInstances:0010"
REGIONS = ("eu-west-1", "us-east-1")


class Factory:
    """Makes images from images with the operations of AWS, in one region or another."""

    def __init__(self, aws):
        self.aws = aws
        self.ec2 = {region: connect(Access(), region) for region in REGIONS}
        self.region = REGIONS[0]
        self.dice = random.Random(1)  # noqa: S311  # an inventory, no secret
        self.machines = []
        image = self.build().image("vendor", RHEL, 40)
        self.build().root(image, RHEL, "", "vol-ffffffff", 40)
        self.images = [image["ImageId"]]

    def build(self):
        place = Place(self.aws.state, BASE_ACCOUNT, self.region)
        return Builder(place, self.dice, NOON, 0, {})

    def image(self):
        return self.aws.state.things["images"][self.images[-1]]

    def launch(self):
        image = self.image()
        machine = self.build().instance(image, "m5.large", image["UsageOperation"], 20, "stopped")
        self.machines.append(machine)
        return machine

    def make(self, operation, **parameters):
        name = f"golden-{len(self.images)}"
        reply = self.ec2[self.region].make_image(operation, {"Name": name, **parameters})
        self.images.append(reply.image_id)

    def create(self):
        self.make("CreateImage", InstanceId=self.launch()["InstanceId"])

    def copy(self):
        """Copy the image into the other region, and go on there."""
        source, parent = self.region, self.images[-1]
        self.region = REGIONS[1 - REGIONS.index(source)]
        self.make("CopyImage", SourceImageId=parent, SourceRegion=source)

    def register(self, description="by hand", *, loses=False):
        machine = self.launch()
        kept = None if loses else machine["UsageOperation"]
        snapshot = self.build().snapshot(kept, description, root_volume(machine), 10)
        self._register(snapshot)

    def register_copied(self):
        machine = self.launch()
        code = machine["UsageOperation"]
        source = self.build().snapshot(code, "by hand", root_volume(machine), 10)
        words = f"[Copied {source['SnapshotId']} from {self.region}]"
        self._register(self.build().snapshot(code, words, "vol-ffffffff", 9))

    def register_again(self):
        """Register the root snapshot of an image that CreateImage made once more."""
        self.create()
        (snapshot_id,) = snapshots_of(self.image())
        self._register(self.aws.state.things["snapshots"][snapshot_id])

    def _register(self, snapshot):
        device = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot["SnapshotId"]}}
        self.make(
            "RegisterImage",
            Architecture="x86_64",
            VirtualizationType="hvm",
            RootDeviceName="/dev/xvda",
            BlockDeviceMappings=[device],
        )

    def sync(self, account, at):
        for region, ec2 in self.ec2.items():
            scope, _ = Scope.objects.get_or_create(account=account, region=region)
            sync_scope(ec2, scope, at=at)

    def forget_machines(self):
        for machine in self.machines:
            self.build().forget(machine)


STEPS = (
    Factory.create,
    Factory.copy,
    Factory.register_copied,
    Factory.register,
    Factory.register_again,
    Factory.copy,
)


def lineages(factory):
    whole = load_inventory()
    return {image_id: trace(image_id, whole) for image_id in factory.images}


def breaks(factory):
    return {
        image_id: [hop.aws_id for hop in lineage.hops if hop.is_break]
        for image_id, lineage in lineages(factory).items()
    }


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
def test_a_loss_is_found_at_the_edge_where_it_was_planted(aws, db, depth):
    account, factory = make_account(number=BASE_ACCOUNT), Factory(aws)
    for step in STEPS[: depth - 1]:
        step(factory)
    kept = list(factory.images)
    factory.register(loses=True)
    lost_at = factory.images[-1]
    for step in STEPS[depth:]:
        step(factory)
    factory.sync(account, NOON)
    wanted = {key: [] if key in kept else [lost_at] for key in factory.images}

    assert Image.objects.count() == len(factory.images)
    assert breaks(factory) == wanted
    causes = {key: lineage.cause for key, lineage in lineages(factory).items()}
    assert {causes[key] for key in factory.images if key not in kept} == {lost_at}

    factory.forget_machines()
    factory.sync(account, LATER)

    assert breaks(factory) == wanted


def test_nothing_is_lost_where_every_code_is_kept(aws, db):
    account, factory = make_account(number=BASE_ACCOUNT), Factory(aws)
    for step in STEPS:
        step(factory)

    factory.sync(account, NOON)

    assert not any(breaks(factory).values())
    for lineage in lineages(factory).values():
        assert factory.images[0] in [hop.aws_id for hop in lineage.hops]
