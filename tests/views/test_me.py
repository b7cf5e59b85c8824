from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from registry.models import Role
from tests.factories import LATER, NOON, make_token, make_user

pytestmark = pytest.mark.django_db
ME, PASSWORD = reverse("me"), reverse("password")
DAY = timedelta(days=1)
OLD, NEW = "it was blue then", "it is green by now"


@pytest.fixture
def person():
    user = make_user(Role.VIEWER, username="vera")
    user.set_password(OLD)
    user.save()
    return user


@pytest.fixture
def signed(client, person):
    client.force_login(person)
    return client


def change(client, **fields):
    sent = {"old_password": OLD, "new_password1": NEW, "new_password2": NEW, **fields}
    return client.post(PASSWORD, sent)


def text(answer):
    return answer.content.decode()


def test_tokens_are_shown_with_when_they_were_used_and_end_and_without_their_secret(signed, person):
    token, secret = make_token(
        user=person, name="nightly <build>", last_used_at=LATER, expires_at=timezone.now() + DAY
    )

    page = text(signed.get(ME))

    assert "nightly &lt;build&gt;" in page
    assert f"{LATER:%Y-%m-%dT%H:%MZ}" in page
    assert f"{token.expires_at:%Y-%m-%dT%H:%MZ}" in page
    assert secret not in page
    assert token.digest not in page


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, "Valid"),
        ({"revoked_at": NOON}, "Revoked"),
        ({"expires_at": NOON + timedelta(minutes=1)}, "Expired"),
    ],
)
def test_a_token_says_whether_it_opens_the_door(signed, person, fields, state):
    make_token(user=person, **fields)

    page = text(signed.get(ME))

    assert [word for word in ("Valid", "Revoked", "Expired") if f"{word}</span>" in page] == [state]


def test_tokens_of_others_are_nobodys_business(client, signed):
    make_token(name="undisclosed")
    assert "undisclosed" not in text(signed.get(ME))
    assert "No program acts as you." in text(signed.get(ME))

    client.force_login(make_user(Role.ADMIN))
    assert "undisclosed" not in text(client.get(ME))


def test_somebody_without_a_role_has_the_page_too(client):
    client.force_login(make_user())

    assert client.get(ME).status_code == 200


def test_it_takes_the_same_queries_however_many(signed, person, django_assert_max_num_queries):
    make_token(user=person)
    with django_assert_max_num_queries(25) as few:
        page = text(signed.get(ME))
    assert "tokens, the newest 50" not in page
    for number in range(60):
        make_token(user=person, name=f"token {number}")

    with django_assert_max_num_queries(len(few)):
        page = text(signed.get(ME))

    assert page.count('<bdi class="strong">token ') == 50
    assert "Of 61 tokens, the newest 50" in page


def test_the_menu_leads_there(signed):
    page = text(signed.get("/"))

    assert f'href="{ME}"' in page
    assert f'href="{PASSWORD}"' in page


def test_a_password_is_changed_and_one_stays_signed_in(signed, person):
    answer = change(signed)

    assert answer.url == ME
    assert "Your password is changed." in text(signed.get(ME))
    person.refresh_from_db()
    assert person.check_password(NEW)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"old_password": "guessed"}, "That is not your password."),
        ({"new_password2": "another one"}, "The two are not the same."),
        ({"new_password1": "12345678", "new_password2": "12345678"}, "too common"),
        ({"new_password1": "", "new_password2": ""}, "This field is required."),
    ],
)
def test_what_can_not_be_is_told_and_the_password_stays(signed, person, fields, says):
    answer = change(signed, **fields)

    assert answer.status_code == 422
    assert says in text(answer)
    assert OLD not in text(answer)
    person.refresh_from_db()
    assert person.check_password(OLD)


def test_whoever_guesses_too_often_is_paused_and_changes_nothing(signed, person):
    for _ in range(5):
        answer = change(signed, old_password="guessed")

    assert "Too many tries" in text(answer)
    assert "Too many tries" in text(change(signed))
    person.refresh_from_db()
    assert person.check_password(OLD)


def test_other_browsers_have_to_sign_in_again(signed, person):
    other = type(signed)()
    other.force_login(person)

    change(signed)

    assert other.get(ME).status_code == 302


def test_nobody_changes_a_password_without_signing_in(client, person):
    answer = change(client)

    assert answer.url.startswith(reverse("login"))
    person.refresh_from_db()
    assert person.check_password(OLD)
