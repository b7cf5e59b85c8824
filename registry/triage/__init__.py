"""What people make of findings: one at a time, or many."""

from registry.triage.batch import advance
from registry.triage.expiry import expire_waivers
from registry.triage.ledger import (
    Ledger,
    asked_before,
    counts,
    form_key,
    ledger,
    progress,
    readable,
    write_down,
)
from registry.triage.objections import Rights, can
from registry.triage.one import assign, comment, reopen, start, unwatch, waive, watch
from registry.triage.wish import LONGEST_TEXT, LONGEST_WAIVER, Late, Refused, Wish

__all__ = [
    "LONGEST_TEXT",
    "LONGEST_WAIVER",
    "Late",
    "Ledger",
    "Refused",
    "Rights",
    "Wish",
    "advance",
    "asked_before",
    "assign",
    "can",
    "comment",
    "counts",
    "expire_waivers",
    "form_key",
    "ledger",
    "progress",
    "readable",
    "reopen",
    "start",
    "unwatch",
    "waive",
    "watch",
    "write_down",
]
