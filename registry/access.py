"""The one place that decides who may do what on which AWS account.

Every view, admin action and job asks here. A role is granted on one account or on all of them
(`Grant`); a superuser is an Admin everywhere.
"""

from enum import StrEnum
from typing import Any, TypeVar

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db.models import Q, QuerySet

from registry.models import Account, Grant, Role

Person = User | AbstractBaseUser | AnonymousUser
_Rows = TypeVar("_Rows", bound=QuerySet[Any])


class Action(StrEnum):
    """What somebody may do; each is asked of one account."""

    READ = "read"
    EXPORT = "export"
    SYNC = "sync"
    VERIFY = "verify"
    AUDIT = "audit"
    REGISTER = "register"
    REPORT = "report"
    MANAGE = "manage"


_READER = {Action.READ, Action.EXPORT, Action.REPORT}
GRANTED: dict[str, frozenset[Action]] = {
    Role.VIEWER: frozenset(_READER),
    Role.DEVELOPER: frozenset({*_READER, Action.VERIFY, Action.REGISTER}),
    Role.FINOPS: frozenset({*_READER, Action.SYNC, Action.VERIFY, Action.AUDIT}),
    Role.ENGINEER: frozenset({*_READER, Action.SYNC, Action.VERIFY, Action.AUDIT, Action.REGISTER}),
    Role.ADMIN: frozenset(Action),
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


def roles(user: Person) -> list[str]:
    """Return the labels of the roles that `user` has anywhere, strongest last."""
    if getattr(user, "is_superuser", False):
        return [Role.ADMIN.label]
    held = set(Grant.objects.filter(user__pk=user.pk or 0).values_list("role", flat=True))
    return [role.label for role in Role if role in held]
