import pytest

from registry.models import ItemState
from registry.removal import counts, progress, tally, to_do
from tests.factories import make_removal, make_removal_item

pytestmark = pytest.mark.django_db


def removal_with(*states, **fields):
    removal = make_removal(**fields)
    for state in states:
        error = "AWS refused." if state == ItemState.FAILED else ""
        make_removal_item(removal=removal, state=state, error=error)
    return removal


def test_each_end_is_counted_in_words():
    removal = removal_with("failed", "kept", "deregistered", "in_use", "deregistered")

    assert tally(removal) == "2 discarded, 1 kept by request, 1 kept: in use, 1 failed"
    assert counts(removal) == {"failed": 1, "kept": 1, "deregistered": 2, "in_use": 1}


def test_what_came_back_is_counted():
    assert tally(removal_with("restored", is_undo=True)) == "1 restored"


@pytest.mark.parametrize(
    ("states", "text"),
    [
        (["marked", "marked"], "2 to go"),
        (["marked", "disabled", "deregistered"], "2 to go; 1 discarded, 1 disabled"),
    ],
    ids=["at the beginning", "on the way"],
)
def test_says_how_far_it_has_come(states, text):
    assert progress(removal_with(*states)) == text


@pytest.mark.parametrize(("only_disables", "left"), [(False, 2), (True, 1)])
def test_what_is_only_to_be_disabled_is_done_when_it_is(only_disables, left):
    removal = removal_with("marked", "disabled", "kept", only_disables=only_disables)

    assert to_do(removal).count() == left
