"""What of a registration reached AWS, and what its timeline says."""

from collections.abc import Mapping
from typing import Any

from registry.models import Registration
from registry.registration.spec import OPERATIONS
from sandbox.aws.server import SimulatedAws


def sent(aws: SimulatedAws) -> list[Mapping[str, Any]]:
    """Return the requests for an image that were meant."""
    calls = [call.params for call in aws.calls if call.operation in OPERATIONS.values()]
    return [params for params in calls if not params.get("DryRun")]


def texts(registration: Registration) -> list[str]:
    """Return the lines of the timeline."""
    return list(registration.events.order_by("pk").values_list("text", flat=True))
