"""What speaks against doing something to a finding as it stands."""

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied

from registry.access import Action, accounts
from registry.models import Account, Finding, FindingState, TriageAction
from registry.triage.wish import Late, Refused, Wish

# What one must be allowed to; with START and ASSIGN, where it concerns others.
_NEEDED = {
    TriageAction.START: Action.TRIAGE,
    TriageAction.ASSIGN: Action.TRIAGE,
    TriageAction.WAIVE: Action.TRIAGE,
    TriageAction.REOPEN: Action.TRIAGE,
    TriageAction.COMMENT: Action.COMMENT,
    TriageAction.WATCH: Action.COMMENT,
    TriageAction.VERIFY: Action.VERIFY,
}
_WORDS = {
    TriageAction.START: "start work on",
    TriageAction.ASSIGN: "assign",
    TriageAction.WAIVE: "waive",
    TriageAction.REOPEN: "reopen",
    TriageAction.COMMENT: "comment on",
    TriageAction.WATCH: "watch",
    TriageAction.VERIFY: "verify",
}
_RESOLVED = "It is resolved. It reopens by itself if it comes back."
_IS_OPEN = "It is open already."
_TOO_LATE: dict[tuple[str, str], str] = {
    (TriageAction.START, FindingState.RESOLVED): _RESOLVED,
    (TriageAction.ASSIGN, FindingState.RESOLVED): _RESOLVED,
    (TriageAction.WAIVE, FindingState.RESOLVED): _RESOLVED,
    (TriageAction.REOPEN, FindingState.RESOLVED): _RESOLVED,
    (TriageAction.VERIFY, FindingState.RESOLVED): _RESOLVED,
    (TriageAction.START, FindingState.IN_PROGRESS): "Work on it has started already.",
    (TriageAction.START, FindingState.WAIVED): "It is waived. Reopen it first.",
    (TriageAction.WAIVE, FindingState.WAIVED): "It is waived already.",
    (TriageAction.REOPEN, FindingState.OPEN): _IS_OPEN,
    (TriageAction.REOPEN, FindingState.REOPENED): _IS_OPEN,
}


class Rights:
    """Who may do what, asked of the database once for each person and action."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, Action], frozenset[int]] = {}

    def may(self, user: User, action: Action, account: Account) -> bool:
        key = (user.pk, action)
        if key not in self._known:
            self._known[key] = frozenset(accounts(user, action).values_list("pk", flat=True))
        return account.pk in self._known[key]


def can(
    finding: Finding,
    action: TriageAction,
    user: User,
    *,
    person: User | None = None,
    rights: Rights | None = None,
) -> str:
    """Say why `user` can't do `action` to the finding as it stands; "" where that is possible.

    Without `person`, an assignment is one to whomever: it takes the right to assign others. Who
    asks more than once hands in the `rights`.
    """
    rights = rights or Rights()
    try:
        if action == TriageAction.ASSIGN and person is None:
            _permit(finding, action, user, rights)
            _be_timely(finding, action)
        else:
            object_to(finding, Wish(action, user, person=person), rights)
    except (PermissionDenied, Late, Refused) as objection:
        return str(objection)
    return ""


def object_to(finding: Finding, wish: Wish, rights: Rights) -> None:
    """Raise PermissionDenied, Late or Refused where `wish` can't be done to the finding."""
    if not _concerns_oneself(finding, wish):
        _permit(finding, wish.action, wish.by, rights)
    else:
        _permit(finding, wish.action, wish.by, rights, needed=Action.COMMENT)
    _be_timely(finding, wish.action)
    if wish.action == TriageAction.ASSIGN:
        _be_news(finding, wish.person)
    account = finding.thing.account
    if wish.person and not rights.may(wish.person, Action.READ, account):
        raise Refused({"person": f"{wish.person} may not read {account.name}."})


def needed(wish: Wish) -> Action:
    """Return the least that somebody must be allowed to somewhere who wishes this."""
    may_concern_oneself = wish.action in {TriageAction.START, TriageAction.ASSIGN}
    return Action.COMMENT if may_concern_oneself else _NEEDED[wish.action]


def _concerns_oneself(finding: Finding, wish: Wish) -> bool:
    """Say whether somebody takes on or gives back what is nobody else's."""
    if finding.assignee_id not in {None, wish.by.pk}:
        return False
    if wish.action == TriageAction.ASSIGN:
        return wish.person is None or wish.person == wish.by
    return wish.action == TriageAction.START


def _permit(
    finding: Finding,
    action: TriageAction,
    by: User,
    rights: Rights,
    *,
    needed: Action | None = None,
) -> None:
    account = finding.thing.account
    if not rights.may(by, needed or _NEEDED[action], account):
        raise PermissionDenied(f"{by} may not {_WORDS[action]} findings of {account.name}.")


def _be_timely(finding: Finding, action: TriageAction) -> None:
    late = _TOO_LATE.get((action, finding.state))
    if late:
        raise Late(late)
    if action == TriageAction.VERIFY and not finding.image:
        raise Late("Only images are read again one by one. The next sync reads this.")


def _be_news(finding: Finding, person: User | None) -> None:
    if finding.assignee_id == (person.pk if person else None):
        raise Late(f"{person} is assigned already." if person else "Nobody is assigned.")
