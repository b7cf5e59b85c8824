"""The ids of things, and what EC2 answers where there is nothing behind one."""

import re

from sandbox.aws.errors import Refused

_ID = re.compile(r"[a-z]+-[0-9a-f]+")
# By kind: the prefix of an id, the code of one that is none, of one that leads nowhere.
_CODES = {
    "images": ("ami-", "InvalidAMIID.Malformed", "InvalidAMIID.NotFound"),
    "snapshots": ("snap-", "InvalidSnapshotID.Malformed", "InvalidSnapshot.NotFound"),
    "volumes": ("vol-", "InvalidParameterValue", "InvalidVolume.NotFound"),
    "instances": ("i-", "InvalidInstanceID.Malformed", "InvalidInstanceID.NotFound"),
}
KIND_OF_PREFIX = {prefix: kind for kind, (prefix, _, _) in _CODES.items()}


def missing(kind: str, aws_id: str) -> Refused:
    """Return the error for an id that leads nowhere, or that is no id at all."""
    prefix, malformed, not_found = _CODES[kind]
    if not aws_id.startswith(prefix) or not _ID.fullmatch(aws_id):
        return Refused(malformed, f'Invalid id: "{aws_id}" (expecting "{prefix}...")')
    return Refused(not_found, f"The {kind[:-1]} id '[{aws_id}]' does not exist")
