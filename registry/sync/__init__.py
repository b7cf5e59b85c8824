"""AWS, a dump or an accounts file → rows."""

from registry.sync.accounts import AccountsInvalid, Difference, load_accounts
from registry.sync.dumps import DumpInvalid, Imported, import_dump
from registry.sync.mirror import Changes, amend
from registry.sync.scope import Synced, mirror_images, sync_scope

__all__ = [
    "AccountsInvalid",
    "Changes",
    "Difference",
    "DumpInvalid",
    "Imported",
    "Synced",
    "amend",
    "import_dump",
    "load_accounts",
    "mirror_images",
    "sync_scope",
]
