"""The one door to AWS."""

from registry.aws.ec2 import Deregistered, Ec2, Reply
from registry.aws.errors import (
    SERVER_SIDE,
    AccessDenied,
    AwsError,
    NameTaken,
    NotFound,
    Throttled,
    Unreachable,
    Unsure,
)
from registry.aws.files import Bucket, ObjectRecord
from registry.aws.members import Malformed, clean
from registry.aws.modifications import ModificationRecord, modified_from
from registry.aws.origins import AncestryEntry, ImageMetadata
from registry.aws.pricing import PriceRecord, Pricing, partition_of, pricing_region
from registry.aws.reads import Reading, Reference
from registry.aws.records import (
    ImageRecord,
    InstanceRecord,
    ReservedInstanceRecord,
    SnapshotRecord,
    VolumeRecord,
)
from registry.aws.session import (
    Access,
    connect,
    connect_bucket,
    connect_pricing,
    list_accounts,
    own_account,
)

__all__ = [
    "SERVER_SIDE",
    "Access",
    "AccessDenied",
    "AncestryEntry",
    "AwsError",
    "Bucket",
    "Deregistered",
    "Ec2",
    "ImageMetadata",
    "ImageRecord",
    "InstanceRecord",
    "Malformed",
    "ModificationRecord",
    "NameTaken",
    "NotFound",
    "ObjectRecord",
    "PriceRecord",
    "Pricing",
    "Reading",
    "Reference",
    "Reply",
    "ReservedInstanceRecord",
    "SnapshotRecord",
    "Throttled",
    "Unreachable",
    "Unsure",
    "VolumeRecord",
    "clean",
    "connect",
    "connect_bucket",
    "connect_pricing",
    "list_accounts",
    "modified_from",
    "own_account",
    "partition_of",
    "pricing_region",
]
