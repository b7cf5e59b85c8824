"""Every state in which nothing can be decided, with what its row needs, and its label."""

import pytest
from django.utils import timezone

from registry.models import RunState

OVER = {"finished_at": timezone.now(), "error": "It ended."}
NOT_HELD = [
    pytest.param({"state": RunState.QUEUED}, "Queued", id="queued"),
    pytest.param({"state": RunState.RUNNING}, "Running", id="running"),
    pytest.param(
        {"state": RunState.WAITING, "wake_at": timezone.now()}, "Waiting on AWS", id="waiting"
    ),
    pytest.param({"state": RunState.SUCCEEDED, **OVER, "error": ""}, "Succeeded", id="succeeded"),
    pytest.param({"state": RunState.FAILED, **OVER}, "Failed", id="failed"),
]
