"""Removals: asked for once, carried out item by item in steps that are safe to repeat."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import prefetch_related_objects
from django.utils import timezone
from rq.timeouts import JobTimeoutException

from registry import aws
from registry.jobs.approvals import missing
from registry.jobs.connect import connect
from registry.jobs.queue import after_commit, recorded, taken
from registry.models import Image, Removal, RemovalItem, Run
from registry.removal import (
    Refused,
    Turn,
    Wish,
    advance,
    check,
    counts,
    not_allowed,
    progress,
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
        locked(run.removal)
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


def locked(removal: Removal) -> Run:
    # The weaker lock: meanwhile, a worker can write lines into the timeline.
    rows = Run.objects.select_for_update(of=("self",), no_key=True)
    return rows.get(pk=removal.run_id)


def _listed(images: list[Image]) -> str:
    shown = [image.aws_id for image in images[:3]]
    return ", ".join(shown) + (f" and {len(images) - 3} more" if images[3:] else "")
