"""Who must agree to a request: the policies of the administrators, then those that are built in."""

from itertools import product
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser

from registry.access import BUILT_IN, ruling
from registry.models import OPERATOR, Grant, Operation, Policy, Role
from tests.factories import make_account, make_user

pytestmark = pytest.mark.django_db
RHEL, WINDOWS = "RunInstances:0010", "RunInstances:0002"
NOBODY = ("Nobody acts on their own without a policy", 1)
# What a policy can name, from what counts least to what counts most.
NAMED = ("role", "operation", "is_risky", "usage_operation", "account")
SUBSETS = [
    tuple(name for name, is_in in zip(NAMED, chosen, strict=True) if is_in)
    for chosen in product([False, True], repeat=len(NAMED))
]


@pytest.fixture
def account():
    return make_account()


def make_policy(name="policy", **fields):
    return Policy.objects.create(name=name, **fields)


def asked(user, account, **fields):
    wanted: dict[str, Any] = {
        "operation": Operation.MAKE,
        "usage_operation": RHEL,
        "is_risky": True,
    }
    found = ruling(user, account, **wanted | fields)
    return (found.policy, found.approvals)


def naming(names, account):
    """Return a policy's fields that fit an engineer's risky request for Red Hat in `account`."""
    fitting = {
        "role": Role.ENGINEER,
        "operation": Operation.MAKE,
        "is_risky": True,
        "usage_operation": RHEL,
        "account": account,
    }
    return {name: fitting[name] for name in names}


@pytest.mark.parametrize("operation", list(Operation))
@pytest.mark.parametrize(
    ("role", "is_risky", "expected"),
    [
        (Role.DEVELOPER, True, ("Developers ask when a code is at risk", 1)),
        (Role.DEVELOPER, False, ("Developers act on their own", 0)),
        (Role.ENGINEER, True, ("Engineers act on their own", 0)),
        (Role.ENGINEER, False, ("Engineers act on their own", 0)),
        (Role.ADMIN, True, ("Administrators act on their own", 0)),
        (Role.ADMIN, False, ("Administrators act on their own", 0)),
        (Role.VIEWER, False, NOBODY),
        (Role.FINOPS, False, NOBODY),
        (None, False, NOBODY),
    ],
)
def test_without_a_policy_what_is_built_in_holds(account, role, is_risky, operation, expected):
    user = make_user(role)

    assert asked(user, account, is_risky=is_risky, operation=operation) == expected


@pytest.mark.parametrize("is_risky", [False, True], ids=["safe", "risky"])
def test_the_command_line_acts_on_its_own(account, is_risky):
    said = asked(None, account, is_risky=is_risky)

    assert said == ("Whoever has the command line acts on their own", 0)


def test_every_role_that_is_built_in_can_be_held():
    assert {role for role, _, _ in BUILT_IN} <= {*Role.values, OPERATOR}


@pytest.mark.parametrize("names", SUBSETS, ids=["+".join(names) or "all" for names in SUBSETS])
def test_a_policy_that_fits_comes_before_what_is_built_in(account, names):
    make_policy(approvals=2, **naming(names, account))

    assert asked(make_user(Role.ENGINEER), account) == ("policy", 2)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"usage_operation": WINDOWS}, id="another code"),
        pytest.param({"operation": Operation.REMOVE}, id="another operation"),
        pytest.param({"role": Role.DEVELOPER}, id="another role"),
        pytest.param({"role": OPERATOR}, id="the command line"),
    ],
)
def test_a_policy_for_something_else_does_not_count(account, other):
    make_policy(approvals=2, **other)

    assert asked(make_user(Role.ENGINEER), account) == ("Engineers act on their own", 0)


def test_a_policy_for_another_account_does_not_count(account):
    make_policy(approvals=2, account=make_account())

    assert asked(make_user(Role.ENGINEER), account) == ("Engineers act on their own", 0)


def test_a_policy_for_what_is_risky_leaves_the_rest_alone(account):
    make_policy(approvals=2, is_risky=True)

    said = asked(make_user(Role.ENGINEER), account, is_risky=False)

    assert said == ("Engineers act on their own", 0)


@pytest.mark.parametrize("stronger", range(1, len(NAMED)), ids=NAMED[1:])
def test_one_stronger_name_counts_more_than_all_that_are_weaker(account, stronger):
    make_policy("weaker", approvals=1, **naming(NAMED[:stronger], account))
    make_policy("stronger", approvals=2, **naming(NAMED[stronger : stronger + 1], account))

    assert asked(make_user(Role.ENGINEER), account) == ("stronger", 2)


@pytest.mark.parametrize("named", NAMED)
def test_a_policy_that_names_more_counts_more(account, named):
    make_policy("for all", approvals=0)
    make_policy("special", approvals=2, **naming([named], account))

    assert asked(make_user(Role.ENGINEER), account) == ("special", 2)


def test_of_several_roles_the_one_that_needs_the_fewest_counts(account):
    user = make_user(Role.DEVELOPER)
    Grant.objects.create(user=user, account=account, role=Role.ENGINEER)

    assert asked(user, account) == ("Engineers act on their own", 0)


def test_a_role_on_another_account_does_not_count(account):
    user = make_user(Role.DEVELOPER)
    Grant.objects.create(user=user, account=make_account(), role=Role.ENGINEER)

    assert asked(user, account) == ("Developers ask when a code is at risk", 1)


@pytest.mark.parametrize("also", [Role.VIEWER, Role.FINOPS])
@pytest.mark.parametrize("operation", list(Operation))
def test_a_second_role_that_may_not_ask_lowers_nothing(account, also, operation):
    make_policy(approvals=2, role=Role.ENGINEER)
    make_policy("none", approvals=0, role=also)
    user = make_user(Role.ENGINEER)
    Grant.objects.create(user=user, role=also)

    assert asked(user, account, operation=operation) == ("policy", 2)


def test_a_superuser_asks_as_an_administrator(account):
    make_policy(approvals=2, role=Role.ADMIN)

    assert asked(make_user(None, is_superuser=True), account) == ("policy", 2)


def test_the_command_line_can_be_made_to_ask(account):
    make_policy(approvals=1, role=OPERATOR)

    assert asked(None, account) == ("policy", 1)


def test_a_policy_for_every_role_is_one_for_the_command_line_too(account):
    make_policy(approvals=2, account=account)

    assert asked(None, account) == ("policy", 2)


@pytest.mark.parametrize(
    "user",
    [
        pytest.param(AnonymousUser, id="not signed in"),
        pytest.param(lambda: make_user(Role.ADMIN, is_active=False), id="deactivated"),
        pytest.param(
            lambda: make_user(None, is_superuser=True, is_active=False), id="former superuser"
        ),
    ],
)
def test_somebody_who_may_nothing_never_acts_alone(account, user):
    make_policy(approvals=0, role=Role.ADMIN)

    assert asked(user(), account) == NOBODY
