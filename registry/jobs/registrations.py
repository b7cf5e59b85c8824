"""Registrations: asked for once, carried out in small steps that are safe to repeat."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone
from rq.timeouts import JobTimeoutException

from registry import aws
from registry.access import Action, may
from registry.audit import declare, judge_images
from registry.billing.rules import CODE_RULES
from registry.jobs.approvals import missing
from registry.jobs.connect import connect
from registry.jobs.queue import after_commit, recorded, taken
from registry.models import (
    MISMATCHES,
    Finding,
    Image,
    ImageVerdict,
    Method,
    Registration,
    Run,
    RunKind,
    Scope,
)
from registry.registration import (
    Declined,
    Proposal,
    Wait,
    Wish,
    check_once,
    explain,
    is_passing,
    operation,
    propose,
    register_once,
    verify,
)
from registry.sync import mirror_images

# After this, a person has to look. What exists as a snapshot is an image in minutes; to photograph
# large volumes or to copy them takes hours.
LONGEST: Mapping[str, timedelta] = {
    Method.SNAPSHOT: timedelta(hours=2),
    Method.MANIFEST: timedelta(hours=2),
    Method.INSTANCE: timedelta(hours=24),
    Method.COPY: timedelta(hours=48),
}
PAUSE = timedelta(seconds=10)
_LONGEST_NOTE = 300


class ManyRefused(Exception):
    """Of several wishes some would be refused: `problems`, by the wish's position and field."""

    def __init__(self, problems: Mapping[int, Mapping[str, str]]) -> None:
        texts = dict.fromkeys(text for one in problems.values() for text in one.values())
        super().__init__(" ".join(texts))
        self.problems = problems


def request_registrations(
    wishes: Sequence[Wish], *, by: User | None, batch: UUID | None = None, is_trial: bool = False
) -> list[Registration]:
    """Queue all of the wishes or none; each key is one registration, however often it is sent.

    `is_trial`: AWS is asked whether it would accept each, and nothing is sent before somebody
    confirms. Raises ManyRefused and PermissionDenied.
    """
    for account in {wish.account for wish in wishes}:
        if by and not may(by, Action.REGISTER, account):
            raise PermissionDenied(f"You may not register images in {account.name}.")
    keys = [wish.key for wish in wishes]
    known = set(Registration.objects.filter(key__in=keys).values_list("key", flat=True))
    new = {n: wish for n, wish in enumerate(wishes) if wish.key not in known}
    proposals = propose(list(new.values()), by=by, batch=batch)
    problems = {n: one.problems for n, one in zip(new, proposals, strict=True) if one.problems}
    if problems:
        raise ManyRefused(problems)
    try:
        with transaction.atomic():
            for proposal in proposals:
                _save(proposal, by=by, is_trial=is_trial)
    except IntegrityError:
        # The same form, sent twice at the same moment; whatever else it is, no row is there.
        if Registration.objects.filter(key__in=keys).count() < len(keys):
            raise
    found = {row.key: row for row in Registration.objects.filter(key__in=keys)}
    return [found[key] for key in keys]


def _save(proposal: Proposal, *, by: User | None, is_trial: bool) -> None:
    registration, now = proposal.registration, timezone.now()
    rule, prediction = proposal.ruling, proposal.prediction
    assert rule is not None  # noqa: S101 - without problems there are both
    assert prediction is not None  # noqa: S101
    run = Run.objects.create(
        kind=RunKind.REGISTER,
        requested_by=by,
        requested_at=now,
        policy=rule.policy,
        approvals_needed=rule.approvals,
        is_trial=is_trial,
    )
    registration.run, registration.prediction = run, asdict(prediction)
    registration.save()
    run.record(f"Requested by {by or 'the operator'}.", at=now)
    if registration.reason:
        run.record(f"Reason: {registration.reason}", at=now)
    run.record(f"{_NEEDED[rule.approvals]} Policy: {rule.policy}.", at=now)
    after_commit(run_registration, run)


_NEEDED = {
    0: "No approval is needed.",
    1: "One other person must approve.",
    2: "Two other persons must approve.",
}


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
            raise Declined(explain(error, operation(registration))) from error
        pause = Wait(PAUSE, f"AWS can't be asked now: {error}")
    except (aws.Malformed, JobTimeoutException) as error:
        if not registration.submitted_at:
            raise
        pause = Wait(PAUSE, f"The answer of AWS was of no use: {error}")
    except PermissionError as error:
        if not registration.submitted_at:
            raise
        pause = Wait(PAUSE, f"AWS can't be asked now: {error}")
    if pause:
        _wait(run, pause)


def _step(run: Run, registration: Registration) -> Wait | None:
    by, account = run.requested_by, registration.account
    may_send = by is None or may(by, Action.REGISTER, account)
    if not may_send and not registration.submitted_at:
        raise PermissionError(f"{by} may not register images in {account.name}.")
    ec2 = connect(account, registration.region)
    if not registration.image_id:
        pause = _make(ec2, registration, may_send=may_send)
        if pause or not registration.image_id:
            return pause
    again_after = timedelta(seconds=settings.VERIFY_AGAIN_SECONDS)
    image = verify(ec2, registration, at=timezone.now(), again_after=again_after)
    if isinstance(image, Wait):
        return image
    row = _take_in(registration, image)
    run.note = _conclusion(registration)
    run.result |= {"image_id": row.aws_id, "verdict": registration.verdict, "advice": _advice(row)}
    return None


def _make(ec2: aws.Ec2, registration: Registration, *, may_send: bool) -> Wait | None:
    """Let the image exist, as soon as everybody agrees who must."""
    run = registration.run
    if not registration.submitted_at:
        pause = check_once(ec2, registration, at=timezone.now())
        if pause:
            return pause
        held_for = missing(run)
        if held_for:
            run.hold(note=held_for)
            return None
    may_send = may_send and not missing(run)
    return register_once(ec2, registration, at=timezone.now(), may_send=may_send)


def _conclusion(registration: Registration) -> str:
    if registration.verdict in MISMATCHES:
        return "The billing code differs"
    if registration.verdict == ImageVerdict.UNKNOWN:
        return f"{registration.image_id} is available; its billing code can't be compared"
    return f"{registration.image_id} verified"


def _wait(run: Run, pause: Wait) -> None:
    now = timezone.now()
    begun_at = run.started_at or now
    longest = LONGEST[run.registration.method]
    if begun_at + longest < now:
        hours = longest // timedelta(hours=1)
        raise TimeoutError(f"Not over after {hours} hours. {pause.note.rstrip('.')}.")
    run.wait(until=now + pause.pause, note=pause.note[:_LONGEST_NOTE])


def _take_in(registration: Registration, image: aws.ImageRecord) -> Image:
    """Mirror the new image at once, with what was declared of it, and judge it."""
    now = timezone.now()
    scope, _ = Scope.objects.get_or_create(account=registration.account, region=registration.region)
    (row,) = mirror_images([image], scope, at=now)
    if row.declared:  # by itself the last time, or otherwise by a person since
        judge_images([row], at=now)
    else:
        declare(row, registration.expected_usage_operation, at=now)
    return row


def _advice(row: Image) -> list[str]:
    """Return what the billing rules say to do about a wrong code of the image, in order."""
    found = Finding.objects.open().filter(image=row, rule__in=CODE_RULES).order_by("rule", "pk")
    return [step for remedy in found.values_list("remedy", flat=True) for step in remedy]
