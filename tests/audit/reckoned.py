"""What one change would do, as an audit keeps it."""

from datetime import datetime

from registry.audit.changes import changes
from registry.audit.fleet import Fleet
from registry.audit.proposals import keep
from tests.factories import NOON


def reckon(*, at: datetime = NOON) -> None:
    """Do of an audit only what is about changes; findings stay as a test has made them."""
    keep(changes(Fleet.load(at=at)), at=at)
