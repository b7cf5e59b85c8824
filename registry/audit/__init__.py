"""Rows → facts → verdicts → findings."""

from registry.audit.answer import audit_answer
from registry.audit.run import AuditCounts, audit, judge_images

__all__ = ["AuditCounts", "audit", "audit_answer", "judge_images"]
