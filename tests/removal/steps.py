"""Removals, asked for and taken up step by step, as workers do."""

import uuid
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from registry.jobs.removals import request_removal, request_undo, run_removal
from registry.models import Image, Removal, Run
from sandbox.aws.server import SimulatedAws
from tests.removal.elapsed import let_pass

KEY = uuid.UUID("22222222-3333-4444-8555-666666666666")
MOST_STEPS = 120


def ask(*images: Image, by: Any = None, key: uuid.UUID = KEY, **fields: Any) -> Removal:
    """Ask that images are discarded."""
    return request_removal(key=key, images=images, by=by, **{"reason": "Old."} | fields)


def ask_back(*images: Image, by: Any = None, **fields: Any) -> Removal:
    """Ask that images are brought back."""
    key = fields.pop("key", None) or uuid.uuid4()
    return request_undo(key=key, images=images, by=by, reason="Needed.", **fields)


def step(removal: Removal) -> Run:
    """Let a worker take the removal up once."""
    with suppress(Exception):  # how it ended stands at the run
        run_removal(removal.run_id)
    removal.refresh_from_db()
    removal.run.refresh_from_db()
    return removal.run


def carry_out(aws: SimulatedAws, removal: Removal, **span: float) -> Run:
    """Let workers take it up again and again, and some time pass between, until it is over."""
    for _ in range(MOST_STEPS):
        run = step(removal)
        if run.is_over:
            break
        let_pass(aws, **span or {"minutes": 1})
    return run


def states(removal: Removal) -> Sequence[str]:
    return list(removal.items.order_by("pk").values_list("state", flat=True))
