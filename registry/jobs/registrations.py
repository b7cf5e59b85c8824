"""Registrations: asked for once, carried out in small steps that are safe to repeat."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone
from rq.timeouts import JobTimeoutException

from registry import aws
from registry.access import Action, may
from registry.audit import judge_images
from registry.jobs.connect import connect
from registry.jobs.queue import after_commit, recorded, taken
from registry.models import (
    MISMATCHES,
    Account,
    Finding,
    Image,
    ImageVerdict,
    Registration,
    Run,
    RunKind,
    Scope,
)
from registry.registration import (
    Declined,
    Wait,
    check,
    explain,
    is_passing,
    note,
    register_once,
    verify,
)
from registry.sync import mirror_images

# AWS makes an image from a snapshot in minutes; after this, a person has to look.
LONGEST = timedelta(hours=2)
PAUSE = timedelta(seconds=10)
_LONGEST_NOTE = 300


def request_registration(
    *, key: UUID, account: Account, by: User | None, **wanted: Any
) -> Registration:
    """Queue a registration; the same key twice is the same registration.

    Raises Refused where it can be known that AWS would refuse, PermissionDenied where `by` may not.
    """
    if by and not may(by, Action.REGISTER, account):
        raise PermissionDenied(f"You may not register images in {account.name}.")
    known = Registration.objects.filter(key=key).first()
    if known:
        return known
    registration = Registration(key=key, account=account, **wanted)
    check(registration)
    try:
        with transaction.atomic():
            now = timezone.now()
            run = Run.objects.create(kind=RunKind.REGISTER, requested_by=by, requested_at=now)
            registration.run = run
            registration.save()
            note(registration, f"Requested by {by or 'the operator'}.", at=now)
            after_commit(run_registration, run)
    except IntegrityError:  # the same form, sent twice at the same moment
        return Registration.objects.get(key=key)
    return registration


def run_registration(run_id: int) -> None:
    """Take the next steps of a registration, until it has to wait or is over."""
    with taken(run_id) as run:
        if run is None:
            return
        with recorded(run):
            _advance(run, run.registration)


def _advance(run: Run, registration: Registration) -> None:
    # Once something was sent, it must be looked for until its end is known, whatever happens.
    try:
        pause = _step(run, registration)
    except aws.AwsError as error:
        if not registration.submitted_at and not is_passing(error):
            raise Declined(explain(error)) from error
        pause = Wait(PAUSE, f"AWS can't be asked now: {error}")
    except (aws.Malformed, JobTimeoutException) as error:
        if not registration.submitted_at:
            raise
        pause = Wait(PAUSE, f"The answer of AWS was of no use: {error}")
    if pause:
        _wait(run, pause)


def _step(run: Run, registration: Registration) -> Wait | None:
    by, account = run.requested_by, registration.account
    may_send = by is None or may(by, Action.REGISTER, account)
    if not may_send and not registration.submitted_at:
        raise PermissionError(f"{by} may not register images in {account.name}.")
    ec2 = connect(account, registration.region)
    if not registration.image_id:
        pause = register_once(ec2, registration, at=timezone.now(), may_send=may_send)
        if pause:
            return pause
    again_after = timedelta(seconds=settings.VERIFY_AGAIN_SECONDS)
    image = verify(ec2, registration, at=timezone.now(), again_after=again_after)
    if isinstance(image, Wait):
        return image
    row = _take_in(registration, image)
    run.note = _conclusion(registration)
    run.result |= {"image_id": row.aws_id, "verdict": registration.verdict, "advice": _advice(row)}
    return None


def _conclusion(registration: Registration) -> str:
    if registration.verdict in MISMATCHES:
        return "The billing code differs"
    if registration.verdict == ImageVerdict.UNKNOWN:
        return f"{registration.image_id} is available; its billing code can't be compared"
    return f"{registration.image_id} verified"


def _wait(run: Run, pause: Wait) -> None:
    now = timezone.now()
    begun_at = run.started_at or now
    if begun_at + LONGEST < now:
        raise TimeoutError(f"Not over after two hours. {pause.note.rstrip('.')}.")
    run.wait(until=now + pause.pause, note=pause.note[:_LONGEST_NOTE])


def _take_in(registration: Registration, image: aws.ImageRecord) -> Image:
    """Mirror the new image at once, with what was declared of it, and judge it."""
    now = timezone.now()
    scope, _ = Scope.objects.get_or_create(account=registration.account, region=registration.region)
    (row,) = mirror_images([image], scope, at=now)
    Image.objects.filter(pk=row.pk).update(declared=registration.expected_usage_operation)
    judge_images([row], at=now)
    return row


def _advice(row: Image) -> list[str]:
    """Return what the billing rules say to do about the image, in order."""
    found = Finding.objects.open().filter(image=row).order_by("rule", "pk")
    return [step for remedy in found.values_list("remedy", flat=True) for step in remedy]
