from datetime import timedelta

import pytest

from registry.removal import Refused, Wish, check
from registry.removal.request import LONGEST_REASON, LONGEST_WAIT
from tests.factories import NOON, make_image

pytestmark = pytest.mark.django_db


def problems(images, wish=None, **fields):
    asked = {"reason": "Old.", "waits": {}, "seen": None} | fields
    try:
        check(images, wish or Wish(), **asked)
    except Refused as error:
        return error.problems
    return {}


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, {}),
        ({"reason": " \n"}, {"reason": "Say why."}),
        ({"reason": "x" * LONGEST_REASON}, {}),
        (
            {"reason": "x" * (LONGEST_REASON + 1)},
            {"reason": "Say it in at most 2,000 characters."},
        ),
        ({"reason": "a\0b"}, {"reason": "Leave out the character NUL."}),
        ({"waits": {"hold": timedelta(0)}}, {}),
        ({"waits": {"hold": timedelta(weeks=30)}}, {}),
        ({"waits": {"hold": -timedelta(seconds=1)}}, {"hold": "A time can't be negative."}),
        (
            {"waits": {"cooling": LONGEST_WAIT + timedelta(seconds=1)}},
            {"cooling": "Ten years are the most."},
        ),
    ],
    ids=lambda case: str(case)[:40],
)
def test_each_field_says_what_is_wrong_with_it(fields, found):
    assert problems([make_image()], **fields) == found


def test_no_images_are_no_request():
    assert problems([]) == {"images": "Choose at least one image."}


def test_snapshots_go_with_the_deregistration_or_not_at_all():
    found = problems([make_image()], Wish(only_disables=True, deletes_snapshots=True))

    assert list(found) == ["deletes_snapshots"]


def test_the_order_in_which_images_were_seen_does_not_matter():
    images = [make_image(), make_image()]

    assert problems(images, seen=[images[1].aws_id, images[0].aws_id]) == {}


@pytest.mark.parametrize("more", [["ami-1"], []], ids=["more", "fewer"])
def test_a_selection_that_was_not_shown_is_refused(more):
    image = make_image()

    found = problems([image], seen=[image.aws_id, *more] if more else [])

    assert found == {"images": "The selection is not the one that was shown. Look at it again."}


def test_what_stands_against_an_image_is_said():
    image = make_image(gone_at=NOON)

    found = problems([image, make_image()])

    assert found == {"images": f"{image.aws_id}: AWS does not show it any more."}


def test_many_obstacles_are_counted_not_all_said():
    images = [make_image(gone_at=NOON) for _ in range(8)]

    assert problems(images)["images"].endswith("any more. And 3 more.")


def test_what_is_disabled_already_can_not_only_be_disabled():
    assert problems([make_image(state="disabled")], Wish(only_disables=True)) != {}


def test_all_is_said_at_once():
    assert set(problems([], reason="", waits={"hold": -timedelta(1)})) == {
        "images",
        "reason",
        "hold",
    }
