"""What AWS says of one thing, with the names of our columns."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Self

from registry.aws.members import (
    LONG,
    SHORT,
    Item,
    amount,
    clean,
    codes,
    flag,
    identity,
    members,
    moment,
    part,
    product_codes,
    tags,
    whole,
    words,
)


@dataclass(frozen=True, slots=True)
class ImageRecord:
    aws_id: str
    name: str
    description: str
    owner_id: str
    owner_alias: str
    state: str
    state_reason: str
    is_public: bool
    architecture: str
    platform: str
    platform_details: str | None
    usage_operation: str | None
    product_codes: list[dict[str, str]]
    root_device_type: str
    root_device_name: str
    root_snapshot_id: str
    virtualization_type: str
    boot_mode: str
    tpm_support: str
    imds_support: str
    ena_support: bool | None
    block_devices: list[dict[str, Any]]
    source_instance_id: str
    source_image_id: str
    source_image_region: str
    image_location: str
    created_at: datetime | None
    deprecated_at: datetime | None
    last_launched_at: datetime | None
    tags: dict[str, str]

    @classmethod
    def parse(cls, item: Item) -> Self:
        devices = members(item, "BlockDeviceMappings")
        root = words(item, "RootDeviceName", SHORT)
        details, operation = codes(item)
        return cls(
            aws_id=identity(item, "ImageId"),
            name=words(item, "Name"),
            description=words(item, "Description", 10_000),
            owner_id=words(item, "OwnerId", 32),
            owner_alias=words(item, "ImageOwnerAlias", SHORT),
            state=words(item, "State", 32),
            state_reason=words(part(item, "StateReason"), "Message", 10_000),
            is_public=bool(flag(item, "Public")),
            architecture=words(item, "Architecture", 32),
            platform=words(item, "Platform", 32).lower(),
            platform_details=details,
            usage_operation=operation,
            product_codes=product_codes(item),
            root_device_type=words(item, "RootDeviceType", 32),
            root_device_name=root,
            root_snapshot_id=_root_snapshot(devices, root),
            virtualization_type=words(item, "VirtualizationType", 32),
            boot_mode=words(item, "BootMode", 32),
            tpm_support=words(item, "TpmSupport", 16),
            imds_support=words(item, "ImdsSupport", 16),
            ena_support=flag(item, "EnaSupport"),
            block_devices=clean([dict(device) for device in devices]),
            source_instance_id=words(item, "SourceInstanceId", SHORT),
            source_image_id=words(item, "SourceImageId", SHORT),
            source_image_region=words(item, "SourceImageRegion", 32),
            image_location=words(item, "ImageLocation", 10_000),
            created_at=moment(item, "CreationDate"),
            deprecated_at=moment(item, "DeprecationTime"),
            last_launched_at=moment(item, "LastLaunchedTime"),
            tags=tags(item),
        )


def _root_snapshot(devices: Iterable[Item], root: str) -> str:
    for device in devices:
        snapshot_id = words(part(device, "Ebs"), "SnapshotId", SHORT)
        if snapshot_id and device.get("DeviceName") == root:
            return snapshot_id
    return ""


@dataclass(frozen=True, slots=True)
class SnapshotRecord:
    aws_id: str
    name: str
    description: str
    owner_id: str
    volume_id: str
    volume_size: int | None
    state: str
    storage_tier: str
    is_encrypted: bool | None
    data_encryption_key_id: str
    started_at: datetime | None
    tags: dict[str, str]

    @classmethod
    def parse(cls, item: Item) -> Self:
        labels = tags(item)
        return cls(
            aws_id=identity(item, "SnapshotId"),
            name=labels.get("Name", "")[:LONG],
            description=words(item, "Description", 10_000),
            owner_id=words(item, "OwnerId", 32),
            volume_id=words(item, "VolumeId", SHORT),
            volume_size=whole(item, "VolumeSize"),
            state=words(item, "State", 32),
            storage_tier=words(item, "StorageTier", 32),
            is_encrypted=flag(item, "Encrypted"),
            data_encryption_key_id=words(item, "DataEncryptionKeyId"),
            started_at=moment(item, "StartTime"),
            tags=labels,
        )


@dataclass(frozen=True, slots=True)
class VolumeRecord:
    aws_id: str
    name: str
    state: str
    volume_type: str
    size: int | None
    snapshot_id: str
    source_volume_id: str
    is_encrypted: bool | None
    attachments: list[dict[str, str]]
    created_at: datetime | None
    tags: dict[str, str]

    @classmethod
    def parse(cls, item: Item) -> Self:
        labels = tags(item)
        return cls(
            aws_id=identity(item, "VolumeId"),
            name=labels.get("Name", "")[:LONG],
            state=words(item, "State", 32),
            volume_type=words(item, "VolumeType", 16),
            size=whole(item, "Size"),
            snapshot_id=words(item, "SnapshotId", SHORT),
            source_volume_id=words(item, "SourceVolumeId", SHORT),
            is_encrypted=flag(item, "Encrypted"),
            attachments=[
                {"instance_id": words(place, "InstanceId"), "device": words(place, "Device")}
                for place in members(item, "Attachments")
            ],
            created_at=moment(item, "CreateTime"),
            tags=labels,
        )


@dataclass(frozen=True, slots=True)
class InstanceRecord:
    aws_id: str
    name: str
    state: str
    instance_type: str
    image_id: str
    image_name: str
    image_owner_id: str
    image_owner_alias: str
    availability_zone: str
    availability_zone_id: str
    tenancy: str
    lifecycle: str
    architecture: str
    platform: str
    platform_details: str | None
    usage_operation: str | None
    usage_operation_updated_at: datetime | None
    product_codes: list[dict[str, str]]
    boot_mode: str
    root_device_name: str
    volumes: dict[str, str]
    launched_at: datetime | None
    tags: dict[str, str]

    @classmethod
    def parse(cls, item: Item) -> Self:
        """Read what DescribeInstances tells: nothing of the image but its id."""
        labels, place = tags(item), part(item, "Placement")
        details, operation = codes(item)
        return cls(
            aws_id=identity(item, "InstanceId"),
            name=labels.get("Name", "")[:LONG],
            state=words(part(item, "State"), "Name", 32),
            instance_type=words(item, "InstanceType", SHORT),
            image_id=words(item, "ImageId", SHORT),
            image_name="",
            image_owner_id="",
            image_owner_alias="",
            availability_zone=words(place, "AvailabilityZone", SHORT),
            availability_zone_id=words(place, "AvailabilityZoneId", SHORT),
            tenancy=words(place, "Tenancy", 16) or "default",
            lifecycle=words(item, "InstanceLifecycle", 32),
            architecture=words(item, "Architecture", 32),
            platform=words(item, "Platform", 32).lower(),
            platform_details=details,
            usage_operation=operation,
            usage_operation_updated_at=moment(item, "UsageOperationUpdateTime"),
            product_codes=product_codes(item),
            boot_mode=words(item, "BootMode", 32),
            root_device_name=words(item, "RootDeviceName", SHORT),
            volumes={
                words(device, "DeviceName"): words(part(device, "Ebs"), "VolumeId", SHORT)
                for device in members(item, "BlockDeviceMappings")
            },
            launched_at=moment(item, "LaunchTime"),
            tags=labels,
        )


@dataclass(frozen=True, slots=True)
class ReservedInstanceRecord:
    aws_id: str
    instance_type: str
    instance_count: int
    product_description: str
    tenancy: str
    scope: str
    availability_zone: str
    availability_zone_id: str
    offering_class: str
    offering_type: str
    start_at: datetime | None
    end_at: datetime | None
    duration: int | None
    fixed_price: Decimal | None
    usage_price: Decimal | None
    recurring_hourly: Decimal | None
    currency: str
    state: str
    tags: dict[str, str]

    @classmethod
    def parse(cls, item: Item) -> Self:
        zone = words(item, "AvailabilityZone", SHORT)
        return cls(
            aws_id=identity(item, "ReservedInstancesId"),
            instance_type=words(item, "InstanceType", SHORT),
            instance_count=whole(item, "InstanceCount") or 0,
            product_description=words(item, "ProductDescription"),
            tenancy=words(item, "InstanceTenancy", 16) or "default",
            # Recordings older than regional purchases name only the zone.
            scope=words(item, "Scope", 32) or ("Availability Zone" if zone else "Region"),
            availability_zone=zone,
            availability_zone_id=words(item, "AvailabilityZoneId", SHORT),
            offering_class=words(item, "OfferingClass", 32),
            offering_type=words(item, "OfferingType", SHORT),
            start_at=moment(item, "Start"),
            end_at=moment(item, "End"),
            duration=whole(item, "Duration"),
            fixed_price=amount(item, "FixedPrice"),
            usage_price=amount(item, "UsagePrice"),
            recurring_hourly=_recurring(item),
            currency=words(item, "CurrencyCode", 8),
            state=words(item, "State", 32),
            tags=tags(item),
        )


def _recurring(item: Item) -> Decimal | None:
    """Return the hourly charge; None where it was not recorded or is charged otherwise."""
    if item.get("RecurringCharges") is None:
        return None
    total = Decimal(0)
    for charge in members(item, "RecurringCharges"):
        if (words(charge, "Frequency") or "Hourly") != "Hourly":
            return None
        total += amount(charge, "Amount") or Decimal(0)
    return total
