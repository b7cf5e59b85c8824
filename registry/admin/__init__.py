"""The administrators' pages."""

from registry.admin import (
    accounts,
    findings,
    images,
    inventory,
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
    "people",
    "policies",
    "reports",
    "runs",
    "tokens",
]
