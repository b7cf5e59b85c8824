import pytest

from registry.models import Method, Role
from registry.removal import not_allowed, obstacles
from tests.factories import (
    NOON,
    make_account,
    make_image,
    make_registration,
    make_removal_item,
    make_run,
    make_user,
)

pytestmark = pytest.mark.django_db


def registered_by(user, image, **fields):
    run = make_run(kind="register", requested_by=user)
    make_registration(run=run, account=image.account, image_id=image.aws_id, **fields)


@pytest.mark.parametrize(
    ("fields", "wish", "text"),
    [
        ({}, {}, None),
        ({"state": "disabled"}, {}, None),
        ({"gone_at": NOON}, {}, "AWS does not show it any more."),
        ({"state": "deregistered"}, {}, "AWS does not show it any more."),
        ({"state": "disabled"}, {"only_disables": True}, "It is disabled already."),
        ({"owner_id": "111111111111"}, {}, "Account 111111111111 owns it."),
        ({}, {"is_undo": True}, "It is there already."),
        ({"state": "disabled"}, {"is_undo": True}, None),
        ({"state": "deregistered"}, {"is_undo": True}, None),
        ({"gone_at": NOON}, {"is_undo": True}, None),
    ],
    ids=str,
)
def test_says_what_stands_against_it(fields, wish, text):
    image = make_image(**fields)

    assert obstacles([image], **wish).get(image.pk) == text


@pytest.mark.parametrize("is_undo", [False, True])
def test_an_account_of_a_recording_is_never_changed(is_undo):
    image = make_image(account=make_account(is_synced=False), state="disabled")

    found = obstacles([image], is_undo=is_undo)

    assert found == {image.pk: "Its account is only known from a recording."}


@pytest.mark.parametrize("is_undo", [False, True])
def test_one_removal_at_a_time_works_on_an_image(is_undo):
    image = make_image()
    item = make_removal_item(image=image)

    found = obstacles([image], is_undo=is_undo)

    assert found == {image.pk: f"{item.removal.run.ref} is at work on it already."}


def test_takes_one_query_for_any_number_of_images(django_assert_num_queries):
    images = [make_image() for _ in range(9)]

    with django_assert_num_queries(1):
        obstacles(images)


def test_the_command_line_may_discard_anything():
    assert not_allowed([make_image()], by=None, is_forced=True) == []


@pytest.mark.parametrize(
    ("role", "is_allowed"),
    [
        (Role.VIEWER, False),
        (Role.DEVELOPER, False),
        (Role.FINOPS, False),
        (Role.ENGINEER, True),
        (Role.ADMIN, True),
    ],
)
def test_who_may_discard_an_image_of_others(role, is_allowed):
    image = make_image()

    found = not_allowed([image], by=make_user(role), is_forced=False)

    assert (found == []) == is_allowed


def test_a_grant_counts_for_its_account_alone():
    image, other = make_image(), make_image()
    user = make_user(Role.ENGINEER, image.account)

    assert not_allowed([image, other], by=user, is_forced=False) == [other]


def test_a_developer_may_discard_what_they_have_registered():
    image, other = make_image(), make_image()
    user = make_user(Role.DEVELOPER)
    registered_by(user, image)
    registered_by(make_user(Role.DEVELOPER), other)

    assert not_allowed([image, other], by=user, is_forced=False) == [other]


def test_a_developer_may_force_nothing():
    image = make_image()
    user = make_user(Role.DEVELOPER)
    registered_by(user, image)

    assert not_allowed([image], by=user, is_forced=True) == [image]


def test_having_registered_is_no_permission_without_the_role():
    image = make_image()
    user = make_user(Role.VIEWER)
    registered_by(user, image)

    assert not_allowed([image], by=user, is_forced=False) == [image]


def test_an_image_of_the_same_id_in_another_account_is_not_one_s_own():
    user = make_user(Role.DEVELOPER)
    registered_by(user, make_image(aws_id="ami-1"))
    image = make_image(aws_id="ami-1")

    assert not_allowed([image], by=user, is_forced=False) == [image]


@pytest.mark.parametrize(
    ("fields", "is_allowed"),
    [
        ({}, False),
        ({"method": Method.MANIFEST, "image_location": "b/a.manifest.xml"}, False),
        ({"method": Method.INSTANCE, "source_instance_id": "i-1"}, True),
        (
            {"method": Method.COPY, "source_image_id": "ami-1", "source_region": "eu-west-2"},
            True,
        ),
    ],
    ids=["snapshot", "manifest", "instance", "copy"],
)
def test_a_developer_may_delete_only_snapshots_that_were_made_with_the_image(fields, is_allowed):
    image = make_image()
    user = make_user(Role.DEVELOPER)
    registered_by(user, image, **fields)

    found = not_allowed([image], by=user, is_forced=False, deletes_snapshots=True)

    assert (found == []) == is_allowed
