"""How things in one scope come to be, with the traces that they leave in AWS."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.aws.billing import code, code_of
from sandbox.aws.catalog import RED_HAT_MARKETPLACE, TEAMS
from sandbox.aws.images import snapshots_of
from sandbox.aws.scope import Scope
from sandbox.aws.state import Thing, text

_SHORT = {"us-east-1": "use1", "us-west-2": "usw2", "eu-west-1": "euw1", "eu-central-1": "euc1"}
_STOPPED, _SPOT, _DEDICATED = 0.08, 0.12, 0.14  # of what runs, up to


@dataclass
class Builder:
    """Makes things in `scope` as AWS would have made them at some time before `now`."""

    scope: Scope
    dice: random.Random
    now: datetime
    position: int  # of the account: zone names are aliases, other in each
    offered: Mapping[str, Thing]  # the vendors' images in the region, by their code

    def created(self, name: str, usage_operation: str, age: int) -> Thing:
        """An image made by CreateImage: its code is the instance's."""
        source = self.base(usage_operation)
        machine = self.machine(usage_operation, age + 1)
        image = self.image(name, usage_operation, age)
        image["SourceInstanceId"] = machine["InstanceId"]
        image["SourceImageId"] = source["ImageId"]
        image["SourceImageRegion"] = self.scope.region
        description = f"Created by CreateImage({machine['InstanceId']}) for {image['ImageId']}"
        self.root(image, usage_operation, description, root_volume(machine), age)
        if self.dice.random() < 0.75:  # noqa: PLR2004
            self.forget(machine)
        return image

    def marketplace(self, name: str) -> Thing:
        """Red Hat sold through the Marketplace: billed as plain Linux, and right so."""
        codes = [{"ProductCodeId": RED_HAT_MARKETPLACE, "ProductCodeType": "marketplace"}]
        image = self.image(name, "RunInstances", self.dice.randint(20, 400))
        image["ProductCodes"] = codes
        snapshot = self.root(image, "RunInstances", "", "vol-ffffffff", 20)
        snapshot["_product_codes"] = codes
        return image

    def machine(self, usage_operation: str, age: int) -> Thing:
        """A machine on which an image is built, stopped since."""
        kind = "t3.medium" if usage_operation == "RunInstances" else "m5.large"
        machine = self.instance(self.base(usage_operation), kind, usage_operation, age, "stopped")
        machine["Tags"] = [{"Key": "Name", "Value": "image-builder"}]
        return machine

    def launched(self, image: Thing, kind: str, number: int, *, is_steady: bool = False) -> Thing:
        """A machine of an image; where it is not steady, a few stand, are Spot or dedicated."""
        chance = 1.0 if is_steady else self.dice.random()
        state = "stopped" if chance < _STOPPED else "running"
        operation = image["UsageOperation"] or "RunInstances"
        instance = self.instance(image, kind, operation, self.dice.randint(1, 120), state)
        instance["Tags"] = [
            {"Key": "Name", "Value": f"{image['Name'][:40]}-{number:03d}"},
            {"Key": "team", "Value": self.dice.choice(TEAMS)},
        ]
        if _STOPPED <= chance < _SPOT:
            instance["InstanceLifecycle"] = "spot"
        elif _SPOT <= chance < _DEDICATED:
            instance["Placement"]["Tenancy"] = "dedicated"
        if "ProductCodes" in image:
            instance["ProductCodes"] = image["ProductCodes"]
        if self.dice.random() < 0.1:  # noqa: PLR2004
            self.volume(instance["InstanceId"], "/dev/sdf", "", 100, 90)
        return instance

    def orphan(self, name: str, usage_operation: str, kind: str) -> Thing:
        """An instance whose image is gone."""
        age = self.dice.randint(300, 900)
        image = self.image(self.dated(name, age), usage_operation, age)
        self.root(image, usage_operation, "", "vol-ffffffff", age)
        instance = self.launched(image, kind, 0)
        names = ("Name", "OwnerId", "CreationDate")
        memory = {member: image[member] for member in names}
        instance["_image"] = {**memory, "State": "deregistered"}
        del self.scope.state.things["images"][image["ImageId"]]
        return instance

    def base(self, usage_operation: str) -> Thing:
        """The vendor's image with the code; for what no vendor offers, one that is long gone."""
        nothing = {"ImageId": "ami-0d1e5e1f00000001", "BlockDeviceMappings": []}
        return self.offered.get(usage_operation, nothing)

    def image(self, name: str, usage_operation: str, age: int) -> Thing:
        image_id = self.new_id("ami")
        free = self._free(self.dated(name, age))
        image = {
            "ImageId": image_id,
            "Name": free,
            "Description": "",
            "OwnerId": self.scope.account,
            "ImageLocation": f"{self.scope.account}/{free}",
            "ImageType": "machine",
            "Hypervisor": "xen",
            "State": "available",
            "Public": False,
            "Architecture": "x86_64",
            "VirtualizationType": "hvm",
            "EnaSupport": True,
            "RootDeviceType": "ebs",
            "RootDeviceName": "/dev/xvda",
            "BootMode": "uefi-preferred",
            "CreationDate": self.ago(age),
            "Tags": [{"Key": "team", "Value": self.dice.choice(TEAMS)}],
            **code(usage_operation),
        }
        return self.scope.put("images", image_id, image)

    def root(
        self, image: Thing, kept: str | None, description: str, volume_id: str, age: int
    ) -> Thing:
        """Give an image its root snapshot, whose hidden metadata are `kept`."""
        snapshot = self.snapshot(kept, description, volume_id, age)
        ebs = {
            "SnapshotId": snapshot["SnapshotId"],
            "VolumeSize": snapshot["VolumeSize"],
            "VolumeType": "gp3",
            "DeleteOnTermination": True,
            "Encrypted": False,
        }
        image["BlockDeviceMappings"] = [{"DeviceName": image["RootDeviceName"], "Ebs": ebs}]
        return snapshot

    def snapshot(self, kept: str | None, description: str, volume_id: str, age: int) -> Thing:
        snapshot_id = self.new_id("snap")
        snapshot: Thing = {
            "SnapshotId": snapshot_id,
            "OwnerId": self.scope.account,
            "VolumeId": volume_id,
            "VolumeSize": self.dice.choice((8, 20, 50, 200)),
            "State": "completed",
            "Progress": "100%",
            "StorageTier": "standard",
            "StartTime": self.ago(age),
            "Description": description,
            "Encrypted": False,
            "Tags": [],
            "_billing": kept,
        }
        return self.scope.put("snapshots", snapshot_id, snapshot)

    def volume(self, instance_id: str, device: str, snapshot_id: str, size: int, age: int) -> str:
        volume_id = self.new_id("vol")
        volume = {
            "VolumeId": volume_id,
            "Size": size,
            "VolumeType": "gp3",
            "State": "in-use",
            "SnapshotId": snapshot_id,
            "Encrypted": False,
            "CreateTime": self.ago(age),
            "AvailabilityZone": f"{self.scope.region}a",
            "Attachments": [{"InstanceId": instance_id, "Device": device, "State": "attached"}],
            "Tags": [],
        }
        self.scope.put("volumes", volume_id, volume)
        return volume_id

    def instance(
        self, image: Thing, kind: str, usage_operation: str, age: int, state: str
    ) -> Thing:
        instance_id = self.new_id("i")
        root = "/dev/xvda"
        snapshot_id = next(iter(snapshots_of(image)), "")
        snapshot = self.scope.state.things["snapshots"].get(snapshot_id, {})
        volume_id = self.volume(instance_id, root, snapshot_id, snapshot.get("VolumeSize", 20), age)
        instance = {
            "InstanceId": instance_id,
            "ImageId": image["ImageId"],
            "InstanceType": kind,
            "State": {"Code": 16 if state == "running" else 80, "Name": state},
            "Architecture": "x86_64",
            "RootDeviceName": root,
            "RootDeviceType": "ebs",
            "BlockDeviceMappings": [{"DeviceName": root, "Ebs": {"VolumeId": volume_id}}],
            "LaunchTime": self.ago(age),
            "UsageOperationUpdateTime": self.ago(age),
            "Tags": [],
            **code(usage_operation),
        }
        found = self.scope.put("instances", instance_id, instance)
        self.place(found, self.dice.randrange(3))
        return found

    def place(self, instance: Thing, zone: int) -> None:
        """Put an instance, and its root volume, into the account's zone a, b or c."""
        placement = {**self.zone(zone), "Tenancy": "default"}
        instance["Placement"] = placement
        volume = self.scope.state.things["volumes"][root_volume(instance)]
        volume["AvailabilityZone"] = placement["AvailabilityZone"]

    def zone(self, zone: int) -> dict[str, str]:
        """Name a zone as the account calls it, and as it is called for all."""
        return {
            "AvailabilityZone": f"{self.scope.region}{'abc'[zone]}",
            "AvailabilityZoneId": f"{_SHORT[self.scope.region]}-az{(zone + self.position) % 3 + 1}",
        }

    def forget(self, instance: Thing) -> None:
        """Let an instance be terminated, long ago."""
        del self.scope.state.things["instances"][instance["InstanceId"]]
        del self.scope.state.things["volumes"][root_volume(instance)]

    def ago(self, days: int) -> str:
        return text(self.now - timedelta(days=days))

    def dated(self, name: str, age: int) -> str:
        return name.format(date=(self.now - timedelta(days=age)).strftime("%Y%m%d"))

    def new_id(self, prefix: str) -> str:
        return f"{prefix}-0{self.dice.getrandbits(64):016x}"

    def _free(self, name: str) -> str:
        taken = {image["Name"] for image in self.scope.mine("images")}
        number, free = 1, name
        while free in taken:
            number += 1
            free = f"{name}-{number}"
        return free


def root_volume(instance: Thing) -> str:
    return str(instance["BlockDeviceMappings"][0]["Ebs"]["VolumeId"])


def converted(instance: Thing, usage_operation: str, at: str) -> None:
    """Let an instance change its licence after its launch."""
    for member in code_of(instance):
        del instance[member]
    instance.update({**code(usage_operation), "UsageOperationUpdateTime": at})
