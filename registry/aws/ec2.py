"""EC2 in one region of one account."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from registry.aws.errors import DryRunSucceeded, Unreachable, Unsure, translated
from registry.aws.members import members
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


@dataclass(frozen=True, slots=True)
class Reply:
    """The id that AWS gave, and the request id under which its support finds the call."""

    image_id: str
    request_id: str


class Ec2:
    """A method returns the whole answer as records, or raises an error of `registry.aws.errors`.

    It never returns a part of the answer.
    """

    def __init__(self, reads: Any, changes: Any) -> None:
        self._reads = reads
        self._changes = changes

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
        items = _listed("DescribeReservedInstances", answer, "ReservedInstances")
        return [ReservedInstanceRecord.parse({"RecurringCharges": [], **item}) for item in items]

    def list_regions(self) -> list[str]:
        """Return the regions that are enabled for the account."""
        with translated("DescribeRegions"):
            answer = self._reads.describe_regions()
        items = _listed("DescribeRegions", answer, "Regions")
        return sorted(item["RegionName"] for item in items)

    def register_image(self, parameters: Mapping[str, Any], tags: Mapping[str, str]) -> Reply:
        """Register an image; sent once, so that Unsure is the only doubt there can be."""
        with translated("RegisterImage", changes=True):
            answer = self._changes.register_image(**parameters, **_tagged(tags))
        if not answer.get("ImageId"):
            raise Unsure("RegisterImage: the answer names no image.")
        return Reply(answer["ImageId"], answer["ResponseMetadata"]["RequestId"])

    def try_register_image(self, parameters: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        """Ask AWS whether it would register the image; raise what it would answer."""
        try:
            with translated("RegisterImage"):
                self._reads.register_image(DryRun=True, **parameters, **_tagged(tags))
        except DryRunSucceeded:
            return
        raise Unreachable("RegisterImage: the answer is not one to a dry run.")

    def _matching(self, filters: Sequence[tuple[str, list[str]]]) -> list[ImageRecord]:
        wanted = [{"Name": name, "Values": values} for name, values in filters]
        pages = self._pages(
            "describe_images", "Images", Owners=["self"], IncludeDisabled=True, Filters=wanted
        )
        return [ImageRecord.parse({**_EMPTY_CODE, **item}) for item in pages]

    def _pages(self, method: str, key: str, **query: Any) -> Iterator[Mapping[str, Any]]:
        operation = self._reads.meta.method_to_api_mapping[method]
        with translated(operation):
            pages = self._reads.get_paginator(method).paginate(
                PaginationConfig={"PageSize": PAGE_SIZE}, **query
            )
            for page in pages:
                yield from _listed(operation, page, key)


def _listed(operation: str, answer: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    """Return the list of an answer; Unreachable where it came from something that is not AWS.

    botocore fills in what an answer of AWS lacks.
    """
    if key not in answer:
        raise Unreachable(f"{operation}: the answer has no {key}.")
    found: Sequence[Mapping[str, Any]] = answer[key]
    return found


def _tagged(tags: Mapping[str, str]) -> dict[str, Any]:
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    return {"TagSpecifications": [{"ResourceType": "image", "Tags": pairs}]} if pairs else {}
