"""Time that passes between two steps of a removal, without waiting for it."""

from datetime import timedelta

from django.db.models import F

from registry.models import Removal, RemovalItem, Run
from sandbox.aws.server import SimulatedAws


def let_pass(aws: SimulatedAws, **span: float) -> None:
    """Let time pass for AWS and for every run and removal: `let_pass(aws, days=14)`."""
    aws.state.advance(**span)
    for model, fields in (
        (Run, ("requested_at", "started_at", "wake_at")),
        (Removal, ("hold_until",)),
        (RemovalItem, ("act_at", "submitted_at", "disabled_at", "deregistered_at")),
    ):
        model.objects.update(**{name: F(name) - timedelta(**span) for name in fields})
