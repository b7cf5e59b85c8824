"""How things in one scope come to be, with the traces that they leave in AWS."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.aws.billing import code
from sandbox.aws.scope import Scope
from sandbox.aws.state import Thing, text

AMAZON_LINUX = "ami-0a1b2c3d4e5f60718"
PLATFORMS = {
    "RunInstances": "Linux/UNIX",
    "RunInstances:0010": "Red Hat Enterprise Linux",
    "RunInstances:1010": "Red Hat Enterprise Linux with HA",
    "RunInstances:000g": "SUSE Linux",
    "RunInstances:0002": "Windows",
    "RunInstances:0006": "Windows with SQL Server Standard",
    "RunInstances:0102": "Windows with SQL Server Enterprise",
    "RunInstances:0202": "Windows with SQL Server Web",
    "RunInstances:0004": "Linux with SQL Server Standard",
    "RunInstances:0100": "Linux with SQL Server Enterprise",
    "RunInstances:0200": "Linux with SQL Server Web",
}
SHORT = {"us-east-1": "use1", "us-west-2": "usw2", "eu-west-1": "euw1", "eu-central-1": "euc1"}
RED_HAT = "6cd5fxzrad0cu2j23p692xytz"
TEAMS = ("web", "erp", "payments", "data", "platform")


@dataclass
class Builder:
    """Makes things in `scope` as AWS would have made them at some time before `now`."""

    scope: Scope
    dice: random.Random
    now: datetime
    position: int  # of the account: zone names are aliases, other in each

    def created(self, name: str, usage_operation: str, age: int) -> Thing:
        """An image made by CreateImage: its code is the instance's."""
        builder = self._instance(AMAZON_LINUX, "t3.medium", usage_operation, age + 1, "stopped")
        if self.dice.random() < 0.5:  # noqa: PLR2004
            self._forget(builder)
        image = self._image(self._dated(name, age), usage_operation, age)
        image["SourceInstanceId"] = builder["InstanceId"]
        image["SourceImageId"] = AMAZON_LINUX
        image["SourceImageRegion"] = self.scope.region
        description = f"Created by CreateImage({builder['InstanceId']}) for {image['ImageId']}"
        self._root(image, usage_operation, description, _root_volume(builder), age)
        return image

    def surrogate(self, name: str, usage_operation: str, age: int) -> Thing:
        """Built on a disk of another machine: its volume never had a code."""
        machine = self._instance(AMAZON_LINUX, "t3.medium", "RunInstances", age + 1, "stopped")
        volume = self._volume(machine["InstanceId"], "/dev/xvdf", "", age)
        image = self._registered(name, age)
        self._root(image, None, "packer surrogate build", volume, age)
        return image

    def imported(self, name: str, usage_operation: str, age: int) -> Thing:
        """Imported from a data centre with VM Import."""
        image = self._registered(name, age)
        task = self._id("import-snap").removeprefix("import-snap-")
        description = f"Created by AWS-VMImport service for import-snap-{task}"
        self._root(image, None, description, "vol-ffffffff", age)
        return image

    def restored(self, name: str, usage_operation: str, age: int) -> Thing:
        """Restored by a backup tool that writes blocks to a fresh snapshot."""
        origin = self._instance(AMAZON_LINUX, "m6i.xlarge", usage_operation, age + 90, "stopped")
        image = self._registered(name, age)
        self._root(image, None, "Restored by the backup vault", _root_volume(origin), age)
        return image

    def copied(self, name: str, usage_operation: str, age: int) -> Thing:
        """Registered from a copy of another image's snapshot."""
        parent = self.created(f"{name}-origin", usage_operation, age + 30)
        snapshot = parent["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
        image = self._registered(name, age)
        description = f"[Copied {snapshot} from {self.scope.region}]"
        self._root(image, None, description, "vol-ffffffff", age)
        return image

    def marketplace(self, name: str) -> Thing:
        """Red Hat sold through the Marketplace: billed as plain Linux, and right so."""
        image = self._image(name, "RunInstances", self.dice.randint(20, 400))
        image["ProductCodes"] = [{"ProductCodeId": RED_HAT, "ProductCodeType": "marketplace"}]
        self._root(image, "RunInstances", "", "vol-ffffffff", 20)
        return image

    def named_snapshot(self, name: str, usage_operation: str, *, is_kept: bool) -> None:
        machine = self._instance(AMAZON_LINUX, "m5.large", usage_operation, 60, "stopped")
        volume = _root_volume(machine)
        kept = usage_operation if is_kept else None
        snapshot = self._snapshot(kept, f"{name}, taken by hand", volume, 3)
        snapshot["Tags"] = [{"Key": "Name", "Value": name}]

    def launched(self, image: Thing, kind: str, number: int, *, is_steady: bool = False) -> Thing:
        age = self.dice.randint(1, 120)
        chance = 1.0 if is_steady else self.dice.random()
        state = "stopped" if chance < 0.08 else "running"  # noqa: PLR2004
        operation = image["UsageOperation"] or "RunInstances"
        instance = self._instance(image["ImageId"], kind, operation, age, state)
        name = f"{image['Name'][:40]}-{number:03d}"
        instance["Tags"] = [
            {"Key": "Name", "Value": name},
            {"Key": "team", "Value": self.dice.choice(TEAMS)},
        ]
        if 0.08 <= chance < 0.12:  # noqa: PLR2004
            instance["InstanceLifecycle"] = "spot"
        if 0.12 <= chance < 0.14:  # noqa: PLR2004
            instance["Placement"]["Tenancy"] = "dedicated"
        return instance

    def orphan(self, kind: str) -> None:
        """An instance whose image is gone."""
        instance = self._instance(self._id("ami"), kind, "RunInstances", 500, "running")
        instance["_image"] = {"Name": "long-gone", "OwnerId": self.scope.account}

    def purchase(
        self,
        kind: str,
        count: int,
        usage_operation: str,
        *,
        is_zonal: bool = False,
        is_convertible: bool = False,
        state: str = "active",
    ) -> None:
        """Buy Reserved Instances; for codes without a platform of their own, plain Linux."""
        begin = self.now - timedelta(days=self.dice.randint(30, 300))
        begin = begin if state != "queued" else self.now + timedelta(days=20)
        if state == "retired":
            begin -= timedelta(days=400)
        aws_id = f"{self.dice.getrandbits(32):08x}-27da-4f36-b05e-{self.dice.getrandbits(48):012x}"
        rate = round(self.dice.uniform(0.04, 0.4), 4)
        zone = {"AvailabilityZone": f"{self.scope.region}a", "AvailabilityZoneId": self._zone_id(0)}
        thing = {
            "ReservedInstancesId": aws_id,
            "InstanceType": kind,
            "InstanceCount": count,
            "ProductDescription": PLATFORMS.get(usage_operation, "Linux/UNIX"),
            "InstanceTenancy": "default",
            "Scope": "Availability Zone" if is_zonal else "Region",
            **(zone if is_zonal else {}),
            "OfferingClass": "convertible" if is_convertible else "standard",
            "OfferingType": "No Upfront",
            "Start": text(begin),
            "End": text(begin + timedelta(days=365)),
            "Duration": 31_536_000,
            "FixedPrice": 0.0,
            "UsagePrice": 0.0,
            "RecurringCharges": [{"Amount": rate, "Frequency": "Hourly"}],
            "CurrencyCode": "USD",
            "State": state,
        }
        self.scope.put("reserved_instances", aws_id, thing)

    def _registered(self, name: str, age: int) -> Thing:
        """An image made by RegisterImage from a snapshot without billing metadata."""
        return self._image(name, "RunInstances", age)

    def _image(self, name: str, usage_operation: str, age: int) -> Thing:
        image_id = self._id("ami")
        image = {
            "ImageId": image_id,
            "Name": self._free(name),
            "Description": "",
            "OwnerId": self.scope.account,
            "ImageLocation": f"{self.scope.account}/{name}",
            "State": "available",
            "Public": False,
            "Architecture": "x86_64",
            "VirtualizationType": "hvm",
            "EnaSupport": True,
            "RootDeviceType": "ebs",
            "RootDeviceName": "/dev/xvda",
            "BootMode": "uefi-preferred",
            "CreationDate": text(self.now - timedelta(days=age)),
            "Tags": [{"Key": "team", "Value": self.dice.choice(TEAMS)}],
            **code(usage_operation),
        }
        return self.scope.put("images", image_id, image)

    def _root(
        self, image: Thing, kept: str | None, description: str, volume_id: str, age: int
    ) -> None:
        snapshot = self._snapshot(kept, description, volume_id, age)
        ebs = {
            "SnapshotId": snapshot["SnapshotId"],
            "VolumeSize": snapshot["VolumeSize"],
            "VolumeType": "gp3",
            "DeleteOnTermination": True,
            "Encrypted": False,
        }
        image["BlockDeviceMappings"] = [{"DeviceName": image["RootDeviceName"], "Ebs": ebs}]

    def _snapshot(self, kept: str | None, description: str, volume_id: str, age: int) -> Thing:
        snapshot_id = self._id("snap")
        snapshot: Thing = {
            "SnapshotId": snapshot_id,
            "OwnerId": self.scope.account,
            "VolumeId": volume_id,
            "VolumeSize": self.dice.choice((8, 20, 50, 200)),
            "State": "completed",
            "Progress": "100%",
            "StorageTier": "standard",
            "StartTime": text(self.now - timedelta(days=age)),
            "Description": description,
            "Encrypted": False,
            "Tags": [],
            "_billing": kept,
        }
        return self.scope.put("snapshots", snapshot_id, snapshot)

    def _volume(self, instance_id: str, device: str, snapshot_id: str, age: int) -> str:
        volume_id = self._id("vol")
        volume = {
            "VolumeId": volume_id,
            "Size": 20,
            "VolumeType": "gp3",
            "State": "in-use",
            "SnapshotId": snapshot_id,
            "Encrypted": False,
            "CreateTime": text(self.now - timedelta(days=age)),
            "AvailabilityZone": f"{self.scope.region}a",
            "Attachments": [{"InstanceId": instance_id, "Device": device, "State": "attached"}],
            "Tags": [],
        }
        self.scope.put("volumes", volume_id, volume)
        return volume_id

    def _instance(
        self, image_id: str, kind: str, usage_operation: str, age: int, state: str
    ) -> Thing:
        instance_id = self._id("i")
        zone = self.dice.randrange(3)
        launched = text(self.now - timedelta(days=age))
        volume_id = self._volume(instance_id, "/dev/xvda", "", age)
        instance = {
            "InstanceId": instance_id,
            "ImageId": image_id,
            "InstanceType": kind,
            "State": {"Code": 16 if state == "running" else 80, "Name": state},
            "Placement": {
                "AvailabilityZone": f"{self.scope.region}{'abc'[zone]}",
                "AvailabilityZoneId": self._zone_id(zone),
                "Tenancy": "default",
            },
            "Architecture": "x86_64",
            "RootDeviceName": "/dev/xvda",
            "RootDeviceType": "ebs",
            "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeId": volume_id}}],
            "LaunchTime": launched,
            "UsageOperationUpdateTime": launched,
            "Tags": [],
            **code(usage_operation),
        }
        return self.scope.put("instances", instance_id, instance)

    def _zone_id(self, zone: int) -> str:
        return f"{SHORT[self.scope.region]}-az{(zone + self.position) % 3 + 1}"

    def _forget(self, instance: Thing) -> None:
        del self.scope.state.things["instances"][instance["InstanceId"]]
        del self.scope.state.things["volumes"][_root_volume(instance)]

    def _dated(self, name: str, age: int) -> str:
        return name.format(date=(self.now - timedelta(days=age)).strftime("%Y%m%d"))

    def _free(self, name: str) -> str:
        taken = {image["Name"] for image in self.scope.mine("images")}
        number = 1
        free = name
        while free in taken:
            number += 1
            free = f"{name}-{number}"
        return free

    def _id(self, prefix: str) -> str:
        return f"{prefix}-0{self.dice.getrandbits(64):016x}"


def _root_volume(instance: Thing) -> str:
    return str(instance["BlockDeviceMappings"][0]["Ebs"]["VolumeId"])
