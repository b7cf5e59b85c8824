"""EC2 in one region of one account: what is read, and what is changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from registry.aws.errors import DryRunSucceeded, Unreachable, Unsure, translated
from registry.aws.members import SHORT, members, words
from registry.aws.reads import Reads, request_id

# The operations that make an image, and botocore's names of them.
MAKING = {
    "RegisterImage": "register_image",
    "CreateImage": "create_image",
    "CopyImage": "copy_image",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """The id that AWS gave, and the request id under which its support finds the call."""

    image_id: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Deregistered:
    """AWS took an image away; `snapshots` are id and AWS's code of each it was asked to delete."""

    request_id: str
    snapshots: tuple[tuple[str, str], ...]


class Ec2(Reads):
    """A method that changes something sends it once, and says what became of it."""

    def __init__(self, reads: Any, changes: Any) -> None:
        super().__init__(reads)
        self._changes = changes

    def make_image(self, operation: str, parameters: Mapping[str, Any]) -> Reply:
        """Let one of MAKING make an image; sent once, so that Unsure is the only doubt there is."""
        with translated(operation, changes=True):
            answer = getattr(self._changes, MAKING[operation])(**parameters)
        if not answer.get("ImageId"):
            raise Unsure(f"{operation}: the answer names no image.")
        return Reply(answer["ImageId"], request_id(answer))

    def try_make_image(self, operation: str, parameters: Mapping[str, Any]) -> None:
        """Ask AWS whether it would make the image; raise what it would answer."""
        try:
            with translated(operation):
                getattr(self._reads, MAKING[operation])(DryRun=True, **parameters)
        except DryRunSucceeded:
            return
        raise Unreachable(f"{operation}: the answer is not one to a dry run.")

    def disable_image(self, image_id: str) -> Reply:
        """Hide an image and take its launch permissions away, for good."""
        return self._change("DisableImage", "disable_image", image_id)

    def enable_image(self, image_id: str) -> Reply:
        return self._change("EnableImage", "enable_image", image_id)

    def restore_image(self, image_id: str) -> Reply:
        """Bring an image back from the Recycle Bin."""
        return self._change(
            "RestoreImageFromRecycleBin", "restore_image_from_recycle_bin", image_id
        )

    def deregister_image(self, image_id: str, *, deletes_snapshots: bool) -> Deregistered:
        """Take an image away; say what became of its snapshots, where they were to go too."""
        with translated("DeregisterImage", changes=True):
            answer = self._changes.deregister_image(
                ImageId=image_id, DeleteAssociatedSnapshots=deletes_snapshots
            )
        results = tuple(
            (words(item, "SnapshotId", SHORT), words(item, "ReturnCode", SHORT))
            for item in members(answer, "DeleteSnapshotResults")
        )
        return Deregistered(request_id(answer), results)

    def _change(self, operation: str, method: str, image_id: str) -> Reply:
        with translated(operation, changes=True):
            answer = getattr(self._changes, method)(ImageId=image_id)
        return Reply(image_id, request_id(answer))
