import pytest

from registry.models import Finding, Role, TriageAction
from registry.triage import Wish
from registry.triage.preview import preview
from tests.factories import (
    LATER,
    make_account,
    make_finding,
    make_image,
    make_reserved_instance,
    make_user,
)

pytestmark = pytest.mark.django_db


def made(account, **fields):
    """Make a finding that nothing but its fields tells from others of the account."""
    return make_finding(image=make_image(account=account), **fields)


def test_counts_what_is_done_and_says_why_the_rest_is_left(fay):
    account = make_account()
    made(account)
    made(account, state="in_progress")
    made(account, state="resolved", resolved_at=LATER)
    made(account, state="waived")

    found = preview(Finding.objects.all(), Wish(TriageAction.WAIVE, fay, person=fay))

    assert (found.number, found.done) == (4, 2)
    assert found.left == {
        "It is waived already.": 1,
        "It is resolved. It reopens by itself if it comes back.": 1,
    }


def test_counts_by_account_where_a_role_is_held_on_some():
    mine = make_account()
    user = make_user(Role.FINOPS, account=mine, username="fay")
    make_finding(image=make_image(account=mine))
    other = make_finding()

    found = preview(Finding.objects.all(), Wish(TriageAction.REOPEN, user))

    name = other.image.account.name
    assert found.left[f"fay may not reopen findings of {name}."] == 1


def test_who_has_it_already_is_left(fay, dora):
    account = make_account()
    made(account, assignee=dora)
    made(account, assignee=fay)
    made(account)

    found = preview(Finding.objects.all(), Wish(TriageAction.ASSIGN, fay, person=dora))

    assert (found.done, found.left) == (2, {"dora is assigned already.": 1})


def test_only_images_are_read_again(fay):
    account = make_account()
    made(account)
    make_finding(reserved_instance=make_reserved_instance(account=account))

    found = preview(Finding.objects.all(), Wish(TriageAction.VERIFY, fay))

    assert found.done == 1


def test_takes_as_many_queries_for_many_as_for_few(fay, django_assert_num_queries):
    account = make_account()
    for _ in range(2):
        made(account)
    with django_assert_num_queries(6):
        preview(Finding.objects.all(), Wish(TriageAction.WAIVE, fay, person=fay))
    for _ in range(20):
        made(account)

    with django_assert_num_queries(6):
        preview(Finding.objects.all(), Wish(TriageAction.WAIVE, fay, person=fay))


def test_of_nothing_nothing_is_done(fay):
    found = preview(Finding.objects.none(), Wish(TriageAction.WATCH, fay))

    assert (found.number, found.done) == (0, 0)
