"""What an image is to be made of, and who made that, as far as AWS says."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from registry.billing import descriptions
from registry.billing.clues import Link
from registry.billing.codes import (
    parts,
)
from registry.billing.text import vendor_code

# Ways to make an image.
SNAPSHOT, MANIFEST, INSTANCE, COPY = "snapshot", "manifest", "instance", "copy"
REGISTER_IMAGE, CREATE_IMAGE, COPY_IMAGE = "RegisterImage", "CreateImage", "CopyImage"
# Who wrote a snapshot, besides CreateImage and CopyImage.
COPY_SNAPSHOT = "CopySnapshot"
VM_IMPORT = "VM Import"
AWS_BACKUP = "AWS Backup"
LIFECYCLE = "lifecycle policy"
MIGRATION = "migration service"
UNKNOWN = "unknown"
_WRITERS = (
    (CREATE_IMAGE, descriptions.CREATED),
    (COPY_IMAGE, descriptions.COPIED_IMAGE),
    (COPY_SNAPSHOT, descriptions.COPIED_SNAPSHOT),
    (VM_IMPORT, descriptions.IMPORTED),
    (LIFECYCLE, re.compile(r"^Created for policy: (policy-\w+) schedule: ")),
    (AWS_BACKUP, re.compile(r"created by the AWS Backup service")),
    (MIGRATION, re.compile(r"Application Migration Service|\bMGN\b|CloudEndure")),
)
# Tags that begin with aws: are set by AWS alone.
_WRITERS_BY_TAG = (("aws:dlm:lifecycle-policy-id", LIFECYCLE), ("aws:backup:", AWS_BACKUP))
# States in which AWS makes an image of an instance, or copies one; "": not recorded.
LIVE = frozenset({"running", "stopped", ""})


@dataclass(frozen=True, slots=True)
class Sibling:
    """An image that is there, or was, with the very same root snapshot."""

    image_id: str
    usage_operation: str | None
    made_by: str = REGISTER_IMAGE


@dataclass(frozen=True, slots=True)
class LiveInstance:
    """An instance from which CreateImage can make an image now."""

    aws_id: str
    name: str = ""
    usage_operation: str | None = None


@dataclass(frozen=True, slots=True)
class Prospect:
    """What an image is to be made of, and all that is known of it.

    `expected`: the code it must be billed with. `source_id`: the snapshot, instance, image or
    manifest. `source_usage_operation` and `source_state` are those of an instance or image.
    """

    method: str
    expected: str
    source_id: str = ""
    source_usage_operation: str | None = None
    source_state: str = ""
    writer: str = UNKNOWN
    links: tuple[Link, ...] = ()  # nearest first
    siblings: tuple[Sibling, ...] = ()  # newest first
    product_codes: tuple[str, ...] = ()  # of AWS Marketplace
    sold_with: frozenset[str] = frozenset()  # licenses of the source instance beside such a code
    is_encrypted: bool | None = None
    is_foreign: bool = False  # it comes from another account
    instances: tuple[LiveInstance, ...] = ()  # billed as expected, nearest first


def writer_of(description: str, tag_keys: Iterable[str] = ()) -> str:
    """Return who made a snapshot, by what AWS writes on it; a description proves nothing."""
    for writer, pattern in _WRITERS:
        if pattern.search(description):
            return writer
    keys = tuple(tag_keys)
    for start, writer in _WRITERS_BY_TAG:
        if any(key.startswith(start) for key in keys):
            return writer
    return UNKNOWN


def is_licensed(link: Link) -> bool:
    return not link.has_changed and bool(parts(code_of_link(link)))


def is_registered(prospect: Prospect) -> bool:
    return prospect.method in {SNAPSHOT, MANIFEST}


def siblings_made_by(prospect: Prospect, *made_by: str) -> list[Sibling]:
    """Return the siblings made this way whose code is known."""
    return [
        one
        for one in prospect.siblings
        if one.made_by in made_by and one.usage_operation is not None
    ]


def licenses_of(one: Sibling) -> frozenset[str] | None:
    return parts(one.usage_operation)


def code_of_link(link: Link) -> str | None:
    """Return the code of a link; that of a vendor's image also where none was recorded."""
    if link.usage_operation is None:
        return vendor_code(link.owner_id, link.name)
    return link.usage_operation
