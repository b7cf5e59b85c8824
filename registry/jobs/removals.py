"""Removals: asked for once, carried out item by item in steps that are safe to repeat."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import prefetch_related_objects
from django.utils import timezone
from rq.timeouts import JobTimeoutException

from registry import aws
from registry.access import Action, may
from registry.jobs.approvals import Late, missing
from registry.jobs.connect import connect
from registry.jobs.queue import after_commit, recorded, taken
from registry.models import Image, ItemState, Removal, RemovalItem, Run, RunState
from registry.removal import (
    Refused,
    Turn,
    Wish,
    advance,
    check,
    counts,
    is_sent,
    not_allowed,
    progress,
    reopen,
    stumble,
    tally,
    to_do,
    write_down,
)

# After that much, the worker is given back: registrations wait in the same queue.
MOST_STEPS = 20
LONGEST_TURN = timedelta(seconds=20)
_NO_TIME = timedelta(0)


def request_removal(  # noqa: PLR0913 - it is what the form asks
    *,
    key: UUID,
    images: Iterable[Image],
    by: User | None,
    reason: str,
    hold: timedelta = _NO_TIME,
    cooling: timedelta = _NO_TIME,
    only_disables: bool = False,
    deletes_snapshots: bool = False,
    is_forced: bool = False,
    seen: Sequence[str] | None = None,
) -> Removal:
    """Queue the removal of all the images or of none; the same key twice is the same removal.

    What uses an image is looked at again before each call to AWS; `is_forced` accepts what is
    known of it now. Copies are images of their own: they go if they are among `images`. `seen` are
    the ids that the person was shown. Raises PermissionDenied where `by` (None: the command line)
    may not, Refused where the request makes no sense.
    """
    wish = Wish(
        only_disables=only_disables, deletes_snapshots=deletes_snapshots, is_forced=is_forced
    )
    draft = Removal(
        key=key,
        reason=reason,
        cooling=cooling,
        only_disables=only_disables,
        deletes_snapshots=deletes_snapshots,
        is_forced=is_forced,
    )
    return _request(draft, list(images), wish, by=by, hold=hold, seen=seen)


def request_undo(
    *,
    key: UUID,
    images: Iterable[Image],
    by: User | None,
    reason: str,
    seen: Sequence[str] | None = None,
) -> Removal:
    """Queue that disabled and deregistered images are brought back, as far as AWS can."""
    draft = Removal(key=key, reason=reason, is_undo=True)
    return _request(draft, list(images), Wish(is_undo=True), by=by, hold=_NO_TIME, seen=seen)


def run_removal(run_id: int) -> None:
    """Take the steps of a removal that are due, and give the worker back."""
    with taken(run_id) as run:
        if run is None:
            return
        with recorded(run):
            held_for = missing(run) if to_do(run.removal).exists() else ""
            if held_for:
                run.hold(note=held_for)
                return
            _take_steps(run)
            _give_back(run)


def keep(item: RemovalItem, by: User) -> None:
    """Take one image out of a removal before its next step.

    Anybody who may read the account and verify its images can. Raises PermissionDenied, or Late
    where it is over or a request is on its way.
    """
    account = item.image.account
    if not (may(by, Action.READ, account) and may(by, Action.VERIFY, account)):
        raise PermissionDenied("You can't keep this image.")
    with transaction.atomic():
        run = _locked(item.removal)
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
        run = _locked(removal)
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
        run = _locked(removal)
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
        run = _locked(removal)
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


def _request(
    draft: Removal,
    images: list[Image],
    wish: Wish,
    *,
    by: User | None,
    hold: timedelta,
    seen: Sequence[str] | None,
) -> Removal:
    images = list({image.pk: image for image in images}.values())
    prefetch_related_objects(images, "account")
    forbidden = not_allowed(
        images, by=by, is_forced=wish.is_forced, deletes_snapshots=wish.deletes_snapshots
    )
    if forbidden:
        raise PermissionDenied(f"You may not do this to {_listed(forbidden)}.")
    known = Removal.objects.filter(key=draft.key).first()
    if known:
        return known
    waits = {"hold": hold, "cooling": draft.cooling}
    check(images, wish, reason=draft.reason, waits=waits, seen=seen)
    try:
        with transaction.atomic():
            run = write_down(draft, images, by=by, hold=hold, at=timezone.now())
            after_commit(run_removal, run)
    except IntegrityError:
        known = Removal.objects.filter(key=draft.key).first()
        if known:  # the same form, sent twice at the same moment
            return known
        taken_over = "Another removal has taken one of the images a moment ago. Look again."
        raise Refused({"images": taken_over}) from None
    return draft


def _take_steps(run: Run) -> None:
    """Take the steps that are due, a few, until somebody pauses."""
    removal = run.removal
    began_at = timezone.now()
    doors: dict[tuple[int, str], aws.Ec2] = {}
    for _ in range(MOST_STEPS):
        now = timezone.now()
        due = to_do(removal).filter(act_at__lte=now, removal__is_paused=False)
        item = due.select_related("image__account", "removal").order_by("act_at", "pk").first()
        if item is None or now > began_at + LONGEST_TURN:
            return
        _take_step(Turn(item, run, now, _barred(item, run)), doors)


def _take_step(turn: Turn, doors: dict[tuple[int, str], aws.Ec2]) -> None:
    image = turn.item.image
    door = (image.account_id, image.region)
    try:
        if door not in doors:
            doors[door] = connect(image.account, image.region)
        advance(doors[door], turn)
    except (PermissionError, aws.AwsError) as error:
        stumble(turn, error)
    except JobTimeoutException as error:  # what was sent has an end all the same
        stumble(turn, aws.Unreachable(str(error)))


def _barred(item: RemovalItem, run: Run) -> str:
    """Say why nothing may be sent for an item at this moment; "" where it may."""
    by, removal = run.requested_by, item.removal
    forbidden = not_allowed(
        [item.image],
        by=by,
        is_forced=removal.is_forced,
        deletes_snapshots=removal.deletes_snapshots,
    )
    if not forbidden:
        return ""
    return f"{by} may not do this in {item.image.account.name} any more."


def _give_back(run: Run) -> None:
    """Give the worker back until the next step is due, or end the run."""
    with transaction.atomic():
        _locked(run.removal)
        now = timezone.now()
        following = to_do(run.removal).order_by("act_at").values_list("act_at", flat=True).first()
        if following is None:
            run.finish(
                at=now,
                note=tally(run.removal),
                result=run.result | {"items": counts(run.removal)},
            )
        elif Removal.objects.filter(pk=run.removal.pk, is_paused=True).exists():
            run.hold(note="Paused.")
        elif run.wait(until=max(following, now), note=progress(run.removal)) and following <= now:
            after_commit(run_removal, run)


def _steer(removal: Removal, by: User | None) -> None:
    """Raise PermissionDenied unless `by` made the request or may discard all of its images."""
    if by is None or removal.run.requested_by_id == by.pk:
        return
    images = [item.image for item in removal.items.select_related("image__account")]
    accounts = {image.account for image in images}
    if not all(may(by, Action.DISCARD, account) for account in accounts):
        raise PermissionDenied("You can't decide on this removal.")


def _locked(removal: Removal) -> Run:
    # The weaker lock: meanwhile, a worker can write lines into the timeline.
    rows = Run.objects.select_for_update(of=("self",), no_key=True)
    return rows.get(pk=removal.run_id)


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


def _listed(images: list[Image]) -> str:
    shown = [image.aws_id for image in images[:3]]
    return ", ".join(shown) + (f" and {len(images) - 3} more" if images[3:] else "")
