"""Time that passes between two steps, without waiting for it."""

from datetime import timedelta

from django.db.models import F

from registry.models import Registration, Run
from sandbox.aws.server import SimulatedAws


def let_pass(aws: SimulatedAws, **span: float) -> None:
    """Let time pass for AWS and for every run and registration: `let_pass(aws, minutes=5)`."""
    aws.state.advance(**span)
    for model, fields in (
        (Run, ("requested_at", "started_at", "wake_at")),
        (Registration, ("submitted_at", "mismatch_seen_at")),
    ):
        model.objects.update(**{name: F(name) - timedelta(**span) for name in fields})
