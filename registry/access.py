"""The one place that decides who may do what on which AWS account, and who must agree.

Every view, admin action and job asks here. A role is granted on one account or on all of them
(`Grant`); a superuser is an Admin everywhere.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db.models import Exists, OuterRef, Q, QuerySet

from registry.models import (
    OPERATOR,
    Account,
    Bill,
    BilledPurchase,
    BilledUsage,
    Disagreement,
    Grant,
    Operation,
    Policy,
    Role,
)

Person = User | AbstractBaseUser | AnonymousUser
_Rows = TypeVar("_Rows", bound=QuerySet[Any])


class Action(StrEnum):
    """What somebody may do; each is asked of one account."""

    READ = "read"
    EXPORT = "export"
    SYNC = "sync"
    VERIFY = "verify"
    AUDIT = "audit"
    COMMENT = "comment"  # on findings; take them on, watch them
    TRIAGE = "triage"  # assign findings to others, waive and reopen them
    DECLARE = "declare"  # what an image is to be billed as
    REGISTER = "register"
    APPROVE = "approve"
    DISCARD_OWN = "discard own"  # what one has registered oneself
    DISCARD = "discard"
    REPORT = "report"
    MANAGE = "manage"


_READER = {Action.READ, Action.EXPORT, Action.REPORT}
GRANTED: dict[str, frozenset[Action]] = {
    Role.VIEWER: frozenset(_READER),
    Role.DEVELOPER: frozenset(
        {*_READER, Action.VERIFY, Action.COMMENT, Action.REGISTER, Action.DISCARD_OWN},
    ),
    Role.FINOPS: frozenset(
        {
            *_READER,
            *(Action.SYNC, Action.VERIFY, Action.AUDIT, Action.APPROVE),
            *(Action.COMMENT, Action.TRIAGE, Action.DECLARE),
        }
    ),
    Role.ENGINEER: frozenset(Action) - {Action.MANAGE},
    Role.ADMIN: frozenset(Action),
}


@dataclass(frozen=True, slots=True)
class Ruling:
    """How many others must agree to a request, and the policy that says so."""

    policy: str
    approvals: int


# What holds where no row of Policy says otherwise: role, whether it is risky, and the ruling.
BUILT_IN: tuple[tuple[str, bool, Ruling], ...] = (
    (Role.DEVELOPER, True, Ruling("Developers ask when a code is at risk", 1)),
    (Role.DEVELOPER, False, Ruling("Developers act on their own", 0)),
    (Role.ENGINEER, False, Ruling("Engineers act on their own", 0)),
    (Role.ADMIN, False, Ruling("Administrators act on their own", 0)),
    (OPERATOR, False, Ruling("Whoever has the command line acts on their own", 0)),
)
_NOBODY = Ruling("Nobody acts on their own without a policy", 1)
# Only a role with which one may ask at all counts, so that a second role lowers nothing.
_ASKS: dict[str, set[Action]] = {
    Operation.MAKE: {Action.REGISTER},
    Operation.REMOVE: {Action.DISCARD_OWN, Action.DISCARD},
}


def _grants(user: Person, action: Action) -> QuerySet[Grant]:
    roles = [role for role, actions in GRANTED.items() if action in actions]
    return Grant.objects.filter(user__pk=user.pk or 0, role__in=roles)


def may(user: Person, action: Action, account: Account) -> bool:
    """Say whether `user` may do `action` on `account`."""
    if not user.is_active:
        return False
    if getattr(user, "is_superuser", False):
        return True
    on_it = Q(account=None) | Q(account=account)
    return _grants(user, action).filter(on_it).exists()


def may_everywhere(user: Person, action: Action) -> bool:
    """Say whether `user` may do `action` on every account, also on those not yet known."""
    if not user.is_active:
        return False
    if getattr(user, "is_superuser", False):
        return True
    return _grants(user, action).filter(account=None).exists()


def may_somewhere(user: Person, action: Action) -> bool:
    """Say whether there can be an account on which `user` may do `action`."""
    if not user.is_active:
        return False
    return bool(getattr(user, "is_superuser", False)) or _grants(user, action).exists()


def accounts(user: Person, action: Action = Action.READ) -> QuerySet[Account]:
    """Return the accounts on which `user` may do `action`."""
    if may_everywhere(user, action):
        return Account.objects.all()
    if not user.is_active:
        return Account.objects.none()
    granted = _grants(user, action).values("account")
    return Account.objects.filter(pk__in=granted)


def visible(
    rows: _Rows, user: Person, *, by: str = "account", action: Action = Action.READ
) -> _Rows:
    """Leave the rows whose account (`by` names the way to it) `user` may do `action` on."""
    if may_everywhere(user, action):
        return rows
    return rows.filter(**{f"{by}__in": accounts(user, action)})


def visible_billed(rows: _Rows, user: Person) -> _Rows:
    """Leave the rows of bills whose account `user` may read, by its number.

    Where a bill names none, the payer's counts.
    """
    if may_everywhere(user, Action.READ):
        return rows
    numbers = accounts(user).values("number")
    return rows.filter(Q(account__in=numbers) | Q(account="", bill__payer__in=numbers))


def visible_bills(user: Person) -> QuerySet[Bill]:
    """Return the bills on which there is something that `user` may read."""
    if may_everywhere(user, Action.READ):
        return Bill.objects.all()
    numbers = accounts(user).values("number")
    found = Q(payer__in=numbers)
    for kind in (BilledUsage, BilledPurchase, Disagreement):
        found |= Q(Exists(kind.objects.filter(bill=OuterRef("pk"), account__in=numbers)))
    return Bill.objects.filter(found)


def people(account: Account) -> QuerySet[User]:
    """Return who may read `account`, by name."""
    return _readers(Q(account=None) | Q(account=account))


def people_beside(user: Person) -> QuerySet[User]:
    """Return who may read any of the accounts that `user` may read, by name."""
    if may_everywhere(user, Action.READ):
        return _readers(Q())
    return _readers(Q(account=None) | Q(account__in=accounts(user)))


def _readers(on_it: Q) -> QuerySet[User]:
    readers = [role for role, actions in GRANTED.items() if Action.READ in actions]
    granted = Grant.objects.filter(on_it, role__in=readers).values("user")
    may_read = Q(is_superuser=True) | Q(pk__in=granted)
    return User.objects.filter(may_read, is_active=True).order_by("username")


def roles(user: Person) -> list[str]:
    """Return the labels of the roles that `user` has anywhere, strongest last."""
    if getattr(user, "is_superuser", False):
        return [Role.ADMIN.label]
    held = set(Grant.objects.filter(user__pk=user.pk or 0).values_list("role", flat=True))
    return [role.label for role in Role if role in held]


def ruling(
    user: Person | None,
    account: Account,
    *,
    operation: str,
    usage_operation: str = "",
    is_risky: bool = False,
) -> Ruling:
    """Return who must agree to a request of `user` (None: the command line) and why.

    Of the policies that fit, the most specific counts: one for the account before one for the
    expected code, then one for what is risky, for the operation, for the role. Where a person has
    several roles that may ask for it, the one that needs the fewest approvals.
    """
    fits = Q(account=None) | Q(account=account)
    fits &= Q(usage_operation="") | Q(usage_operation=usage_operation)
    fits &= Q(operation="") | Q(operation=operation)
    if not is_risky:
        fits &= Q(is_risky=False)
    policies = list(Policy.objects.filter(fits).order_by("pk"))
    held = [OPERATOR] if user is None else _roles_on(user, account, operation)
    rulings = [_ruling_for(role, policies, is_risky=is_risky) for role in held]
    return min(rulings, key=lambda found: found.approvals, default=_NOBODY)


def _roles_on(user: Person, account: Account, operation: str) -> list[str]:
    if not user.is_active:
        return []
    if getattr(user, "is_superuser", False):
        return [Role.ADMIN]
    asking = [role for role, actions in GRANTED.items() if actions & _ASKS[operation]]
    on_it = Q(account=None) | Q(account=account)
    held = Grant.objects.filter(on_it, user__pk=user.pk or 0, role__in=asking)
    return list(held.order_by("role").values_list("role", flat=True).distinct())


def _ruling_for(role: str, policies: list[Policy], *, is_risky: bool) -> Ruling:
    fitting = [policy for policy in policies if policy.role in {"", role}]
    if fitting:
        best = max(fitting, key=_how_specific)
        return Ruling(best.name, best.approvals)
    for known, only_risky, found in BUILT_IN:
        if known == role and (is_risky or not only_risky):
            return found
    return _NOBODY


def _how_specific(policy: Policy) -> tuple[bool, ...]:
    named = (policy.account_id is not None, bool(policy.usage_operation), policy.is_risky)
    return (*named, bool(policy.operation), bool(policy.role))
