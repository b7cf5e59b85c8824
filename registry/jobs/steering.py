"""What people do to a removal under way: keep an image, pause, resume, retry what failed."""

from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from registry.access import Action, may
from registry.jobs.approvals import Late
from registry.jobs.queue import after_commit
from registry.jobs.removals import locked, run_removal
from registry.models import ItemState, Removal, RemovalItem, Run, RunState
from registry.removal import (
    is_sent,
    reopen,
    to_do,
)


def keep(item: RemovalItem, by: User) -> None:
    """Take one image out of a removal before its next step.

    Anybody who may read the account and verify its images can. Raises PermissionDenied, or Late
    where it is over or a request is on its way.
    """
    account = item.image.account
    if not (may(by, Action.READ, account) and may(by, Action.VERIFY, account)):
        raise PermissionDenied("You can't keep this image.")
    with transaction.atomic():
        run = locked(item.removal)
        row = RemovalItem.objects.select_for_update(of=("self",)).get(pk=item.pk)
        if run.is_over or not to_do(item.removal).filter(pk=row.pk).exists():
            raise Late(f"{row.image.aws_id} can't be kept any more: {row.get_state_display()}.")
        if is_sent(row):
            raise Late("A request to AWS is on its way. Try again in a minute.")
        text = f"Kept by {by}."
        if row.state == ItemState.DISABLED:
            text += " It is disabled; bring it back to let it be launched again."
        row.state, row.note = ItemState.KEPT, text
        row.save(update_fields=["state", "note"])
        run.record(text, at=timezone.now(), subject=row.image.aws_id)
        if not to_do(item.removal).exists():
            _release(run)


def pause(removal: Removal, by: User | None) -> None:
    """Let nothing more be sent until somebody resumes. Late where the removal is over."""
    _steer(removal, by)
    with transaction.atomic():
        run = locked(removal)
        if run.is_over:
            raise Late(f"{run.ref} is over: {run.get_state_display()}.")
        Removal.objects.filter(pk=removal.pk).update(is_paused=True)
        text = f"Paused by {by or 'the operator'}."
        run.record(text, at=timezone.now())
        if run.state in {RunState.QUEUED, RunState.WAITING}:
            run.state, run.wake_at, run.note = RunState.HELD, None, text
            run.save(update_fields=["state", "wake_at", "note"])


def resume(removal: Removal, by: User | None) -> None:
    """Let a paused removal go on. Late where it is not paused."""
    _steer(removal, by)
    with transaction.atomic():
        run = locked(removal)
        if run.is_over or not Removal.objects.filter(pk=removal.pk, is_paused=True).exists():
            raise Late(f"{run.ref} is not paused.")
        Removal.objects.filter(pk=removal.pk).update(is_paused=False)
        run.record(f"Resumed by {by or 'the operator'}.", at=timezone.now())
        _release(run)


def retry_failed(removal: Removal, by: User | None) -> int:
    """Let the images that failed be tried again, from where they stand; return how many.

    What was done is not repeated: each step begins with a look. Late where nothing can be retried.
    """
    _steer(removal, by)
    with transaction.atomic():
        run = locked(removal)
        _refuse_to_revive(run, removal)
        try:
            retried = reopen(removal, at=timezone.now())
        except IntegrityError:
            raise Late("Another removal has taken one of the images a moment ago.") from None
        if not retried and not (run.is_over and to_do(removal).exists()):
            raise Late("Nothing is left to retry.")
        run.record(f"Retried by {by or 'the operator'}.", at=timezone.now())
        lived = {name: of for name, of in run.result.items() if name != "deaths"}
        _release(run, finished_at=None, error="", result=lived)
    return retried


def _steer(removal: Removal, by: User | None) -> None:
    """Raise PermissionDenied unless `by` made the request or may discard all of its images."""
    if by is None or removal.run.requested_by_id == by.pk:
        return
    images = [item.image for item in removal.items.select_related("image__account")]
    accounts = {image.account for image in images}
    if not all(may(by, Action.DISCARD, account) for account in accounts):
        raise PermissionDenied("You can't decide on this removal.")


def _release(run: Run, **fields: Any) -> None:
    """Let a worker take up a run that waits or is over; one that is at it goes on by itself."""
    if run.state == RunState.RUNNING:
        return
    to = {"state": RunState.QUEUED, "wake_at": None, "note": "", **fields}
    for name, value in to.items():
        setattr(run, name, value)
    run.save(update_fields=list(to))
    after_commit(run_removal, run)


def _refuse_to_revive(run: Run, removal: Removal) -> None:
    """A request that was declined or withdrawn stays so: somebody has to ask again."""
    is_declined = run.decisions.filter(is_approval=False).exists()
    is_begun = removal.items.exclude(submitted_at=None).exists()
    is_withdrawn = run.state == RunState.FAILED and not is_begun
    if is_declined or is_withdrawn:
        raise Late(f"{run.ref} is over: {run.error or run.get_state_display()}")
