"""The administrators' pages."""

from registry.admin import accounts, findings, images, inventory, people, reports, runs

__all__ = ["accounts", "findings", "images", "inventory", "people", "reports", "runs"]
