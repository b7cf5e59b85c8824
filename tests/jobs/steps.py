"""Registrations, asked for and taken up step by step, as workers do."""

import uuid
from contextlib import suppress
from typing import Any

from registry.jobs.approvals import decide
from registry.jobs.registrations import ManyRefused, request_registrations, run_registration
from registry.models import Account, Policy, Registration, Run, Snapshot
from registry.registration import Refused, Wish
from sandbox.aws.server import SimulatedAws
from tests.registration.elapsed import let_pass
from tests.registration.simulated import RHEL

KEY = uuid.UUID("11111111-2222-4333-8444-555555555555")
MOST_STEPS = 60
# What is asked of AWS before anybody has to agree.
CHECKING = ["GetCallerIdentity", "DescribeImages", "RegisterImage"]


def wish(snapshot: Snapshot, *, key: uuid.UUID = KEY, **fields: Any) -> Wish:
    """Return the wish for an image from `snapshot` that is billed as Red Hat."""
    wanted = {
        "region": snapshot.region,
        "snapshot_id": snapshot.aws_id,
        "name": "golden",
        "expected_usage_operation": RHEL,
        "reason": "There is no instance any more.",
    }
    return Wish(key, snapshot.account, wanted | fields)


def request_registration(
    *, key: uuid.UUID, account: Account, by: Any, **wanted: Any
) -> Registration:
    """Ask for one image; Refused, by field, where it can't be made as it is."""
    try:
        (registration,) = request_registrations([Wish(key, account, wanted)], by=by)
    except ManyRefused as error:
        raise Refused(error.problems[0]) from None
    return registration


def ask(snapshot: Snapshot, *, by: Any = None, key: uuid.UUID = KEY, **fields: Any) -> Registration:
    """Ask for an image from `snapshot` that is billed as Red Hat."""
    wanted = wish(snapshot, **fields)
    return request_registration(key=key, account=wanted.account, by=by, **wanted.fields)


def held_for(number: int, snapshot: Snapshot, by: Any) -> Run:
    """Return a request that AWS has checked and that waits for `number` others."""
    Policy.objects.create(name="Others must agree", approvals=number)
    return step(ask(snapshot, by=by))


def tried(snapshot: Snapshot, by: Any) -> Run:
    """Return a request that AWS has checked and that waits for whoever made it."""
    wanted = wish(snapshot)
    (registration,) = request_registrations([wanted], by=by, batch=KEY, is_trial=True)
    return step(registration)


def approve(run: Run, by: Any) -> None:
    decide(run, by=by, is_approval=True, reason="It is right.")
    run.refresh_from_db()


def step(registration: Registration) -> Run:
    """Let a worker take the registration up once."""
    with suppress(Exception):  # how it ended stands at the run
        run_registration(registration.run_id)
    registration.refresh_from_db()
    registration.run.refresh_from_db()
    return registration.run


def carry_out(aws: SimulatedAws, registration: Registration) -> Run:
    """Let workers take it up again and again, and half a minute pass between, until it is over."""
    for _ in range(MOST_STEPS):
        run = step(registration)
        if run.is_over:
            break
        let_pass(aws, seconds=30)
    return run
