"""Discarding images, and bringing them back."""

from registry.removal.ledger import Turn, is_sent, stumble
from registry.removal.obstacles import not_allowed, obstacles
from registry.removal.plan import reopen, write_down
from registry.removal.preview import Line, Preview, Wish, preview
from registry.removal.remove import advance
from registry.removal.request import Refused, check
from registry.removal.tally import counts, progress, tally, to_do
from registry.removal.uses import Use, as_told, known_uses

__all__ = [
    "Line",
    "Preview",
    "Refused",
    "Turn",
    "Use",
    "Wish",
    "advance",
    "as_told",
    "check",
    "counts",
    "is_sent",
    "known_uses",
    "not_allowed",
    "obstacles",
    "preview",
    "progress",
    "reopen",
    "stumble",
    "tally",
    "to_do",
    "write_down",
]
