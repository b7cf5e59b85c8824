"""The administrators' pages."""

from registry.admin import (
    accounts,
    findings,
    images,
    inventory,
    patterns,
    people,
    policies,
    reports,
    runs,
    tokens,
)

__all__ = [
    "accounts",
    "findings",
    "images",
    "inventory",
    "patterns",
    "people",
    "policies",
    "reports",
    "runs",
    "tokens",
]
