"""Requests that wait for people: confirmed, approved, declined or withdrawn."""

from datetime import datetime

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from registry.access import Action, Person, may
from registry.models import Account, Decision, Run, RunState

_LONGEST_REASON = 2_000


class Late(Exception):
    """The request does not wait for this any more; the message says what became of it."""


def missing(run: Run) -> str:
    """Return what a request waits for before AWS may be changed; "" where nothing is missing."""
    if run.is_trial:
        return "Checked. Nothing is sent to AWS until somebody confirms it."
    given = len(approvers(run))
    if given >= run.approvals_needed:
        return ""
    if run.approvals_needed == 1:
        return "Waiting for the approval of another person."
    return f"Waiting for approvals: {given} of {run.approvals_needed} given."


def approvers(run: Run) -> list[User]:
    """Return who has approved a request and may still do so."""
    given = run.decisions.filter(is_approval=True).select_related("by").order_by("pk")
    return [decision.by for decision in given if _may_decide(decision.by, run)]


def may_decide(user: Person, run: Run) -> bool:
    """Say whether `user` can approve or decline the request now. Nobody decides on their own."""
    if not _waits_for_approval(run) or not _may_decide(user, run):
        return False
    return not run.decisions.filter(by_id=user.pk).exists()


def may_withdraw(user: Person, run: Run) -> bool:
    """Say whether `user` can take the request back before anything was sent."""
    is_open = run.state in _BEFORE_SENDING and _is_request(run) and not is_sent(run)
    return is_open and (run.requested_by_id == user.pk or _may_decide(user, run))


def decide(run: Run, *, by: User, is_approval: bool, reason: str) -> None:
    """Write down what `by` says; the last approval that was missing lets the request go on.

    Raises PermissionDenied where `by` may not, Late where nothing is to be decided any more.
    """
    if not _may_decide(by, run):
        raise PermissionDenied("You can't decide on this request.")
    now = timezone.now()
    with transaction.atomic():
        held = _locked(run)
        if not _waits_for_approval(held):
            raise Late(f"{run.ref} does not wait for a decision: {held.get_state_display()}.")
        _write_down(held, by, reason, at=now, is_approval=is_approval)
        if not is_approval:
            _end(held, f"Declined by {by}. {reason}", at=now)
        elif not missing(held):
            _release(held)


def confirm(run: Run, *, by: User | None) -> None:
    """Let a request that was only tried be carried out, as far as nobody else must agree.

    Whoever asked confirms; None: whoever has the command line.
    """
    if run.requested_by_id != (by.pk if by else None):
        raise PermissionDenied("Only the person who made this request can confirm it.")
    now = timezone.now()
    with transaction.atomic():
        held = _locked(run)
        if held.state != RunState.HELD or not held.is_trial:
            raise Late(f"{run.ref} does not wait for this: {held.get_state_display()}.")
        held.is_trial = False
        held.note = missing(held)
        held.save(update_fields=["is_trial", "note"])
        held.record(f"Confirmed by {by or 'the operator'}.", at=now)
        if not held.note:
            _release(held)


def withdraw(run: Run, *, by: User) -> None:
    """End a request before anything was sent to AWS."""
    if run.requested_by_id != by.pk and not _may_decide(by, run):
        raise PermissionDenied("You can't withdraw this request.")
    now = timezone.now()
    with transaction.atomic():
        locked = _locked(run)
        is_open = locked.state in _BEFORE_SENDING and _is_request(locked)
        if not is_open or is_sent(locked):
            raise Late(f"{run.ref} can't be withdrawn: {locked.get_state_display()}.")
        locked.record(f"Withdrawn by {by}.", at=now)
        _end(locked, f"Withdrawn by {by}. Nothing was sent to AWS.", at=now)


_BEFORE_SENDING = (RunState.HELD, RunState.QUEUED, RunState.WAITING)


def _waits_for_approval(run: Run) -> bool:
    if run.state != RunState.HELD or run.is_trial:
        return False
    # A removal that somebody has paused is held as well. What is held without that waits even if
    # nothing is missing: whoever approved may have got back a role that was lost.
    return not _is_paused(run) or bool(missing(run))


def _is_paused(run: Run) -> bool:
    removal = getattr(run, "removal", None)
    return removal is not None and removal.is_paused


def _is_request(run: Run) -> bool:
    """Say whether a run changes something in AWS; what only reads is nobody's to decide on."""
    return hasattr(run, "registration") or hasattr(run, "removal")


def _may_decide(user: Person, run: Run) -> bool:
    if user.pk is None or run.requested_by_id == user.pk:
        return False
    accounts = accounts_of(run)
    return bool(accounts) and all(may(user, Action.APPROVE, account) for account in accounts)


def accounts_of(run: Run) -> list[Account]:
    """Return the accounts in which a request changes something."""
    of_run = Q(registrations__run=run) | Q(pk__in=_accounts_of_items(run))
    return list(Account.objects.filter(of_run).distinct())


def _accounts_of_items(run: Run) -> list[int]:
    removal = getattr(run, "removal", None)
    if removal is None:
        return []
    return list(removal.items.values_list("image__account_id", flat=True).distinct())


def is_sent(run: Run) -> bool:
    """Say whether something was sent to AWS for a request, or may have been."""
    registration = getattr(run, "registration", None)
    if registration is not None:
        return registration.submitted_at is not None
    removal = getattr(run, "removal", None)
    return removal is not None and removal.items.exclude(submitted_at=None).exists()


def _locked(run: Run) -> Run:
    # Of the row alone: what hangs on it by an outer join cannot be locked with it.
    return Run.objects.select_for_update(of=("self",)).get(pk=run.pk)


def _write_down(run: Run, by: User, reason: str, *, at: datetime, is_approval: bool) -> None:
    try:
        with transaction.atomic():
            Decision.objects.create(
                run=run, by=by, at=at, is_approval=is_approval, reason=reason[:_LONGEST_REASON]
            )
    except IntegrityError:
        if not run.decisions.filter(by=by).exists():
            raise
        raise Late("You have decided on this request already.") from None
    run.record(f"{'Approved' if is_approval else 'Declined'} by {by}: {reason}", at=at)


def _release(run: Run) -> None:
    # The clock queues what waits in the database; nothing is lost where Redis is away.
    # Its time counts from here: people may have taken days.
    run.state, run.note, run.started_at = RunState.QUEUED, "", None
    run.save(update_fields=["state", "note", "started_at"])


def _end(run: Run, error: str, *, at: datetime) -> None:
    run.state, run.finished_at, run.error = RunState.FAILED, at, error
    run.save(update_fields=["state", "finished_at", "error"])
