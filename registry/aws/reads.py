"""What is read of EC2 in one region of one account."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from registry.aws.errors import Unreachable, translated
from registry.aws.members import SHORT, clean, identity, members, part, words
from registry.aws.modifications import ModificationRecord, modified_from
from registry.aws.origins import AncestryEntry, ImageMetadata
from registry.aws.records import (
    ImageRecord,
    InstanceRecord,
    ReservedInstanceRecord,
    SnapshotRecord,
    VolumeRecord,
)

PAGE_SIZE = 1000
# The API has had these members since 2020: where an image or instance lacks one, it is empty.
_EMPTY_CODE = {"PlatformDetails": "", "UsageOperation": ""}
_IDS_AT_ONCE = 200
_LONGEST_ARN = 2_048
_REFERENCES_AT_ONCE = 10  # the most that DescribeImageReferences takes
# By itself AWS looks at the ten newest versions of a launch template only, and counts instances
# that are terminated.
_ALIVE = ["pending", "running", "shutting-down", "stopping", "stopped"]
_LOOKED_AT = [
    {
        "ResourceType": "ec2:Instance",
        "ResourceTypeOptions": [{"OptionName": "state-name", "OptionValues": _ALIVE}],
    },
    {
        "ResourceType": "ec2:LaunchTemplate",
        "ResourceTypeOptions": [{"OptionName": "version-depth", "OptionValues": ["10000"]}],
    },
]


@dataclass(frozen=True, slots=True)
class Reading:
    """What AWS says of an image, as a record and in its own words."""

    image: ImageRecord
    item: dict[str, Any]
    request_id: str


@dataclass(frozen=True, slots=True)
class Reference:
    """Something that refers to an image; `kind` is AWS's type, such as ec2:LaunchTemplate."""

    image_id: str
    kind: str
    arn: str


class Reads:
    """A method returns the whole answer as records, or raises an error of `registry.aws.errors`.

    It never returns a part of the answer.
    """

    def __init__(self, reads: Any) -> None:
        self._reads = reads

    def list_images(self) -> list[ImageRecord]:
        """Return every image the account owns, the disabled included."""
        return self._matching([])

    def find_images(
        self,
        *,
        name: str = "",
        tag: tuple[str, str] | None = None,
        ids: Sequence[str] | None = None,
    ) -> list[ImageRecord]:
        """Return the account's own images that fit; none where none does."""
        filters = [("name", [name])] if name else []
        if tag:
            filters.append((f"tag:{tag[0]}", [tag[1]]))
        if ids is None:
            return self._matching(filters)
        found = []
        for start in range(0, len(ids), _IDS_AT_ONCE):
            some = list(ids[start : start + _IDS_AT_ONCE])
            found += self._matching([*filters, ("image-id", some)])
        return found

    def list_snapshots(self) -> list[SnapshotRecord]:
        """Return every snapshot the account owns."""
        pages = self._pages("describe_snapshots", "Snapshots", OwnerIds=["self"])
        return [SnapshotRecord.parse(item) for item in pages]

    def list_volumes(self) -> list[VolumeRecord]:
        return [VolumeRecord.parse(item) for item in self._pages("describe_volumes", "Volumes")]

    def list_instances(self) -> list[InstanceRecord]:
        return [
            InstanceRecord.parse({**_EMPTY_CODE, **item})
            for reservation in self._pages("describe_instances", "Reservations")
            for item in members(reservation, "Instances")
        ]

    def list_reserved_instances(self) -> list[ReservedInstanceRecord]:
        """Return every purchase. This operation has no pages."""
        with translated("DescribeReservedInstances"):
            answer = self._reads.describe_reserved_instances()
        items = listed("DescribeReservedInstances", answer, "ReservedInstances")
        return [ReservedInstanceRecord.parse({"RecurringCharges": [], **item}) for item in items]

    def list_modifications(self) -> dict[str, list[str]]:
        """Return, by the id of each purchase that modifications made, the ids it was made of."""
        pages = self._pages(
            "describe_reserved_instances_modifications",
            "ReservedInstancesModifications",
            size=None,  # it can't be asked for
        )
        return modified_from(map(ModificationRecord.parse, pages))

    def list_regions(self) -> list[str]:
        """Return the regions that are enabled for the account."""
        with translated("DescribeRegions"):
            answer = self._reads.describe_regions()
        items = listed("DescribeRegions", answer, "Regions")
        return sorted(item["RegionName"] for item in items)

    def read_image(self, image_id: str) -> Reading | None:
        """Return one of the account's own images, with AWS's very words; None if not shown."""
        wanted = [{"Name": "image-id", "Values": [image_id]}]
        with translated("DescribeImages"):
            answer = self._reads.describe_images(
                Owners=["self"], IncludeDisabled=True, Filters=wanted
            )
        for item in listed("DescribeImages", answer, "Images"):
            whole = {**_EMPTY_CODE, **item}
            return Reading(ImageRecord.parse(whole), clean(dict(item)), request_id(answer))
        return None

    def read_permissions(self, image_id: str) -> list[dict[str, str]]:
        """Return who may launch an image, each as AWS writes it; NotFound if it is not there."""
        with translated("DescribeImageAttribute"):
            answer = self._reads.describe_image_attribute(
                ImageId=image_id, Attribute="launchPermission"
            )
        items = listed("DescribeImageAttribute", answer, "LaunchPermissions")
        return [clean(dict(item)) for item in items]

    def list_image_metadata(self) -> dict[str, ImageMetadata]:
        """Return what AWS tells of the image of each instance, by the instance's id."""
        pages = self._pages("describe_instance_image_metadata", "InstanceImageMetadata")
        return {
            identity(item, "InstanceId"): ImageMetadata.parse(part(item, "ImageMetadata"))
            for item in pages
        }

    def read_ancestry(self, image_id: str) -> list[AncestryEntry]:
        """Return the recorded ancestors of an image, itself first; NotFound if it is not there."""
        with translated("GetImageAncestry"):
            answer = self._reads.get_image_ancestry(ImageId=image_id)
        items = listed("GetImageAncestry", answer, "ImageAncestryEntries")
        return [AncestryEntry.parse(item) for item in items]

    def list_references(self, image_ids: Sequence[str]) -> list[Reference]:
        """Return what refers to the images in this account: instances, templates, parameters."""
        found = []
        for start in range(0, len(image_ids), _REFERENCES_AT_ONCE):
            some = list(image_ids[start : start + _REFERENCES_AT_ONCE])
            found += [
                Reference(
                    identity(item, "ImageId"),
                    words(item, "ResourceType"),
                    words(item, "Arn", _LONGEST_ARN),
                )
                for item in self._pages(
                    "describe_image_references",
                    "ImageReferences",
                    ImageIds=some,
                    IncludeAllResourceTypes=True,
                    ResourceTypes=_LOOKED_AT,
                )
            ]
        return found

    def list_recycled(self) -> list[str]:
        """Return the ids of the images in the Recycle Bin."""
        pages = self._pages("list_images_in_recycle_bin", "Images")
        return [identity(item, "ImageId") for item in pages]

    def _matching(self, filters: Sequence[tuple[str, list[str]]]) -> list[ImageRecord]:
        wanted = [{"Name": name, "Values": values} for name, values in filters]
        pages = self._pages(
            "describe_images", "Images", Owners=["self"], IncludeDisabled=True, Filters=wanted
        )
        return [ImageRecord.parse({**_EMPTY_CODE, **item}) for item in pages]

    def _pages(
        self, method: str, key: str, *, size: int | None = PAGE_SIZE, **query: Any
    ) -> Iterator[Mapping[str, Any]]:
        operation = self._reads.meta.method_to_api_mapping[method]
        with translated(operation):
            pages = self._reads.get_paginator(method).paginate(
                PaginationConfig={"PageSize": size}, **query
            )
            for page in pages:
                yield from listed(operation, page, key)


def listed(operation: str, answer: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    """Return the list of an answer; Unreachable where it came from something that is not AWS.

    botocore fills in what an answer of AWS lacks.
    """
    if key not in answer:
        raise Unreachable(f"{operation}: the answer has no {key}.")
    found: Sequence[Mapping[str, Any]] = answer[key]
    return found


def request_id(answer: Mapping[str, Any]) -> str:
    """Return the id under which AWS's support finds a call."""
    # No more than its column holds, whatever stands between us and AWS.
    return words(answer.get("ResponseMetadata", {}), "RequestId", SHORT)
