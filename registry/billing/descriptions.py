"""What AWS writes into the descriptions of snapshots, and how to read it."""

import re

NO_VOLUME = "vol-ffffffff"  # what a copied snapshot shows
CREATED = re.compile(r"^Created by CreateImage\((i-[0-9a-f]+)\) for (ami-[0-9a-f]+)")
COPIED_IMAGE = re.compile(
    r"^Copied for DestinationAmi (ami-\w+) from SourceAmi (ami-\w+) for SourceSnapshot (snap-\w+)"
)
COPIED_SNAPSHOT = re.compile(r"^\[Copied (snap-[0-9a-f]+) from [a-z0-9-]+\]")
IMPORTED = re.compile(r"^Created by AWS-VMImport service for (import-(?:ami|snap)-[0-9a-f]+)")
