"""The ledger of a removal: what is written down before, after and instead of a call to AWS."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import QuerySet

from registry.aws import AwsError, Malformed, Unsure
from registry.models import ItemState, Removal, RemovalItem, Run, RunState
from registry.removal.advice import explain, is_not_there, is_passing
from registry.sync import amend

PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(minutes=15)
# About fifty minutes of trouble; then a person has to look.
MOST_TRIES = 10
# After a lost answer: how long until a look tells what became of the request.
DOUBT = timedelta(seconds=45)
# How long after a doubt a no of AWS may be about what was carried out already.
UNSEEN = timedelta(minutes=5)
_MOMENT = timedelta(microseconds=1)
_T = TypeVar("_T")


class Overtaken(Exception):
    """Somebody else changed the row, or the removal is paused: this worker does nothing more."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One step of one item. `barred` says why nothing may be sent; "" where it may."""

    item: RemovalItem
    run: Run
    at: datetime
    barred: str = ""


def is_sent(item: RemovalItem) -> bool:
    """Say whether the request of the present step may have been sent."""
    if item.submitted_at is None:
        return False
    before = item.disabled_at if item.state == ItemState.DISABLED else None
    return before is None or item.submitted_at > before


def send(turn: Turn, call: Callable[[], _T]) -> _T | None:
    """Write the intention down and send a request once; None where its end is another.

    Whatever AWS says instead of an answer is written down: to look again later, or a failure.
    """
    before = turn.item.submitted_at if is_sent(turn.item) else None
    kept = turn.item.submitted_at
    _intend(turn)
    try:
        return call()
    except (Unsure, Malformed) as error:
        said = str(error).rstrip(". ")
        later(turn, f"No answer of AWS. {said}. Looking before anything is sent.", pause=DOUBT)
    except AwsError as error:
        update(turn, submitted_at=kept)
        if is_passing(error) or is_not_there(error) or (before and turn.at < before + UNSEEN):
            later(turn, f"Not carried out. {error}")
        else:
            fail(turn, explain(error))
    return None


def settle(
    turn: Turn,
    text: str,
    request_id: str = "",
    *,
    mirrored: dict[str, Any] | None = None,
    **to: Any,
) -> None:
    """Write down what is true now, of the item and of its image, with a line in the timeline."""
    with transaction.atomic():
        update(turn, **{"tries": 0, "error": "", **to})
        record(turn, text, request_id)
        if mirrored:
            amend(turn.item.image_id, at=turn.at, **mirrored)


def later(turn: Turn, text: str, *, pause: timedelta | None = None) -> None:
    """Let the item wait; a step that was tried often enough has failed."""
    tries = turn.item.tries + 1
    if tries >= MOST_TRIES:
        fail(turn, f"{text.rstrip('. ')}. Tried {tries} times. Retry when AWS answers again.")
        return
    wait = pause or min(PAUSE * 2 ** (tries - 1), LONGEST_PAUSE)
    with transaction.atomic():
        update(turn, tries=tries, act_at=turn.at + wait, note=text)
        record(turn, text)


def fail(turn: Turn, error: str, **to: Any) -> None:
    """End the item without its aim; the others go on."""
    note = "It stays disabled." if turn.item.state == ItemState.DISABLED else ""
    if is_sent(turn.item):
        note = "A request was sent and its end is not known. Retry to look again."
    settle(turn, error, **{"state": ItemState.FAILED, "error": error, "note": note, **to})


def stumble(turn: Turn, error: Exception) -> None:
    """Write down what kept a step from its call to AWS: again later, or a failure.

    What may have been sent is looked for whatever AWS says.
    """
    try:
        if is_passing(error) or is_sent(turn.item):
            later(turn, f"AWS can't be asked now: {error}")
        else:
            fail(turn, explain(error))
    except Overtaken:
        return


def update(turn: Turn, **to: Any) -> None:
    """Change the row, if it is still as this worker has read it and the run is still its own."""
    if not _mine(turn).update(**to):
        raise Overtaken
    for name, value in to.items():
        setattr(turn.item, name, value)


def record(turn: Turn, text: str, request_id: str = "") -> None:
    turn.run.record(text, request_id, at=turn.at, subject=turn.item.image.aws_id)


def _intend(turn: Turn) -> None:
    """Write down that a request is sent now, unless somebody keeps the image or has paused."""
    item = turn.item
    at = turn.at
    if item.disabled_at:  # the clock of a machine may go back
        at = max(at, item.disabled_at + _MOMENT)
    if not _mine(turn, is_paused=False).update(submitted_at=at):
        raise Overtaken
    item.submitted_at = at


def _mine(turn: Turn, **fields: Any) -> QuerySet[RemovalItem]:
    # No join: of the row itself, PostgreSQL asks again after it has waited for another transaction.
    running = Removal.objects.filter(
        run__state=RunState.RUNNING, run__attempt=turn.run.attempt, **fields
    )
    return RemovalItem.objects.filter(pk=turn.item.pk, state=turn.item.state, removal__in=running)
