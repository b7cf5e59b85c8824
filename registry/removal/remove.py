"""Discard an image in small steps, each safe to repeat; and bring one back."""

from registry.aws import AwsError, Deregistered, Ec2, Malformed, Reading
from registry.models import ItemState
from registry.removal.advice import PROTECTED
from registry.removal.ledger import (
    DOUBT,
    UNSEEN,
    Overtaken,
    Turn,
    fail,
    is_sent,
    later,
    send,
    settle,
    stumble,
    update,
)
from registry.removal.uses import (
    NotKnown,
    Use,
    as_told,
    beyond,
    of_permissions,
    read_permissions,
    uses_now,
)
from registry.sync import amend

# Nobody can launch from an image in one of these states: it needs no disabling, and AWS does none.
_UNUSABLE = frozenset({"failed", "error", "invalid"})
_PASSING_STATES = frozenset({"pending", "transient"})
_MOST_LISTED = 5
GONE_FOR_GOOD = (
    "The image is gone for good: AWS does not show it, and it is not in the Recycle Bin. "
    "Make it again: with CreateImage from an instance that was launched from it, "
    "or by registering one of its snapshots that still exists."
)


def advance(ec2: Ec2, turn: Turn) -> None:
    """Take the next step of one item; it ends with the row telling what is true and what is next.

    Every step begins with a look at what an earlier one left. What disturbs a step is tried again
    later, for a while; what AWS refuses is a failure of this item alone.
    """
    step = _bring_back if turn.item.removal.is_undo else _discard
    try:
        step(ec2, turn, ec2.read_image(turn.item.image.aws_id))
    except Overtaken:
        return
    except (NotKnown, AwsError, Malformed) as error:
        stumble(turn, error)


def _discard(ec2: Ec2, turn: Turn, reading: Reading | None) -> None:
    if reading is None or reading.image.state == "deregistered":
        _is_gone(turn, is_shown=reading is not None)
    elif turn.item.state == ItemState.MARKED:
        _disable(ec2, turn, reading)
    else:
        _deregister(ec2, turn, reading)


def _is_gone(turn: Turn, *, is_shown: bool) -> None:
    item = turn.item
    is_ours = item.state == ItemState.DISABLED and is_sent(item)
    text = "Deregistered." if is_ours else "Somebody else deregistered it."
    if is_ours and item.removal.deletes_snapshots:
        text = "Deregistered. The answer was lost: it is not known which snapshots were deleted."
    settle(
        turn,
        text,
        state=ItemState.DEREGISTERED,
        deregistered_at=turn.at,
        note=text,
        mirrored={"state": "deregistered"} if is_shown else {"gone_at": turn.at},
    )


def _disable(ec2: Ec2, turn: Turn, reading: Reading) -> None:
    item, state = turn.item, reading.image.state
    if state == "disabled":
        ours = is_sent(item)
        _is_disabled(turn, "Disabled." if ours else "It was disabled already.", is_ours=ours)
        return
    if state in _PASSING_STATES:
        later(turn, f"The image is {state}.")
        return
    if state in _UNUSABLE and not item.removal.only_disables:
        _is_disabled(turn, f"It is {state}: it needs no disabling.", state=state)
        return
    if not _may_go_on(turn, reading):
        return
    permissions = read_permissions(ec2, item.image)
    if _is_used(turn, uses_now(ec2, item.image, permissions)):
        return
    if not is_sent(item):  # afterwards, AWS may have taken them away already
        update(turn, permissions=permissions)
    reply = send(turn, lambda: ec2.disable_image(item.image.aws_id))
    if reply:
        _is_disabled(turn, "Disabled.", request_id=reply.request_id, is_ours=True)


def _is_disabled(
    turn: Turn, text: str, *, request_id: str = "", is_ours: bool = False, state: str = "disabled"
) -> None:
    item = turn.item
    note = text
    lost = of_permissions(item.permissions)
    if is_ours and lost:
        note = f"{text} AWS took the launch permissions away: {_who(lost)}."
    to = {"disabled_at": turn.at, "act_at": turn.at + item.removal.cooling, "note": note}
    if is_ours:
        # From here on a request is one to deregister; that something was sent stays known.
        to["submitted_at"] = turn.at
    mirrored: dict[str, object] = {"state": state}
    if state == "disabled":
        mirrored |= {"is_public": False}
    settle(turn, note, request_id, state=ItemState.DISABLED, mirrored=mirrored, **to)


def _deregister(ec2: Ec2, turn: Turn, reading: Reading) -> None:
    item, at = turn.item, turn.at
    if reading.image.state == "available":
        _is_enabled(turn)
        return
    if is_sent(item) and item.submitted_at and at < item.submitted_at + DOUBT:
        later(turn, "Looking whether AWS deregistered it.", pause=DOUBT)
        return
    if not _may_go_on(turn, reading) or _is_used(turn, uses_now(ec2, item.image, [])):
        return
    deletes = item.removal.deletes_snapshots
    answer = send(turn, lambda: ec2.deregister_image(item.image.aws_id, deletes_snapshots=deletes))
    if answer is None:
        return
    text = _of_snapshots(answer) if deletes else "Deregistered. Its snapshots were kept."
    settle(
        turn,
        text,
        answer.request_id,
        state=ItemState.DEREGISTERED,
        deregistered_at=at,
        snapshots=[{"id": aws_id, "code": code} for aws_id, code in answer.snapshots],
        note=text,
    )
    _look_whether_gone(ec2, turn)


def _is_enabled(turn: Turn) -> None:
    """Somebody enabled the image after it was disabled: somebody needs it."""
    disabled_at = turn.item.disabled_at
    if disabled_at and turn.at < disabled_at + UNSEEN:
        later(turn, "AWS does not show it as disabled yet.")
        return
    text = "Somebody enabled it again while it cooled down. It was kept."
    settle(turn, text, state=ItemState.KEPT, note=text, mirrored={"state": "available"})


def _may_go_on(turn: Turn, reading: Reading) -> bool:
    """End an item that must not be sent to AWS."""
    if turn.barred:
        fail(turn, turn.barred)
        return False
    protection = str(reading.item.get("DeregistrationProtection", ""))
    if protection.startswith("enabled") and not turn.item.removal.only_disables:
        fail(turn, PROTECTED)
        return False
    return True


def _is_used(turn: Turn, uses: list[Use]) -> bool:
    """Keep an image that is used by more than what was shown to whoever forced its removal."""
    item = turn.item
    shown = map(Use.parse, item.uses_shown) if item.removal.is_forced else ()
    extra = beyond(uses, shown)
    if not extra:
        update(turn, uses=[use.json for use in uses])
        return False
    # Whoever reads this may read the account of the image, and perhaps no other.
    listed = _listed(as_told(extra, [item.image.account.number]))
    text = f"Kept: in use by {listed}."
    if item.removal.is_forced:
        text = f"Kept: in use by more than was shown: {listed}."
    if item.state == ItemState.DISABLED:
        text += " It stays disabled; bring it back to let it be launched again."
    settle(turn, text, state=ItemState.IN_USE, uses=[use.json for use in uses], note=text)
    return True


def _look_whether_gone(ec2: Ec2, turn: Turn) -> None:
    # The next sync tells it as well.
    try:
        reading = ec2.read_image(turn.item.image.aws_id)
    except (AwsError, Malformed):
        return
    if reading is None:
        amend(turn.item.image_id, at=turn.at, gone_at=turn.at)


def _bring_back(ec2: Ec2, turn: Turn, reading: Reading | None) -> None:
    state = reading.image.state if reading else "deregistered"
    if state == "available":
        _is_restored(turn, "Enabled." if is_sent(turn.item) else "It was available already.")
    elif state in _PASSING_STATES:
        later(turn, f"The image is {state}.")
    elif turn.barred:
        fail(turn, turn.barred)
    elif state == "disabled":
        reply = send(turn, lambda: ec2.enable_image(turn.item.image.aws_id))
        if reply:
            _is_restored(turn, "Enabled.", reply.request_id)
    elif state == "deregistered":
        _restore(ec2, turn)
    else:
        fail(turn, f"The image is {state}. AWS does not bring such an image back.")


def _restore(ec2: Ec2, turn: Turn) -> None:
    image_id = turn.item.image.aws_id
    if image_id not in ec2.list_recycled():
        if is_sent(turn.item):
            later(turn, "AWS does not show the restored image yet.")
        else:
            fail(turn, GONE_FOR_GOOD)
        return
    reply = send(turn, lambda: ec2.restore_image(image_id))
    if reply:
        text = "Restored from the Recycle Bin."
        # Whether it comes back disabled, the next look tells.
        settle(turn, text, reply.request_id, note=text, act_at=turn.at)


def _is_restored(turn: Turn, text: str, request_id: str = "") -> None:
    lost = of_permissions(turn.item.permissions)
    if lost:
        text = f"{text} Launch permissions do not come back by themselves: {_who(lost)}."
    settle(
        turn,
        text,
        request_id,
        state=ItemState.RESTORED,
        note=text,
        mirrored={"state": "available", "gone_at": None},
    )


def _of_snapshots(answer: Deregistered) -> str:
    deleted = [aws_id for aws_id, code in answer.snapshots if code == "success"]
    kept = [f"{aws_id} ({code})" for aws_id, code in answer.snapshots if code != "success"]
    said = [
        f"Deleted {', '.join(deleted)}." if deleted else "No snapshot was deleted.",
        f"Left: {', '.join(kept)}." if kept else "",
    ]
    return " ".join(["Deregistered.", *filter(None, said)])


def _listed(uses: list[Use]) -> str:
    shown = [str(use) for use in uses[:_MOST_LISTED]]
    if len(uses) > _MOST_LISTED:
        shown.append(f"{len(uses) - _MOST_LISTED} more")
    return ", ".join(shown)


def _who(permissions: list[Use]) -> str:
    return ", ".join(use.aws_id for use in permissions)
