"""Rows → facts → verdicts → findings."""

from registry.audit.answer import audit_answer
from registry.audit.declare import declare
from registry.audit.defaults import Default, defaults
from registry.audit.prospect import prospect
from registry.audit.run import AuditCounts, audit, judge_images

__all__ = [
    "AuditCounts",
    "Default",
    "audit",
    "audit_answer",
    "declare",
    "defaults",
    "judge_images",
    "prospect",
]
