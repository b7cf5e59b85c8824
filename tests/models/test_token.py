from datetime import timedelta

import pytest
from django.db import IntegrityError

from registry.models import ApiToken
from tests.factories import NOON, make_token, make_user

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def test_the_secret_is_kept_nowhere():
    token, secret = ApiToken.objects.issue(make_user(), "pipeline", at=NOON)

    kept = ApiToken.objects.filter(pk=token.pk).values().get()
    assert secret not in map(str, kept.values())
    assert secret.removeprefix("amiportal_") not in str(kept)


def test_no_two_secrets_are_the_same():
    user = make_user()

    secrets = {ApiToken.objects.issue(user, "pipeline", at=NOON)[1] for _ in range(50)}

    assert len(secrets) == 50
    assert min(map(len, secrets)) >= 50


def test_is_found_by_its_secret():
    token, secret = make_token()

    assert ApiToken.objects.of_secret(secret, at=NOON) == token


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param("", id="nothing"),
        pytest.param("amiportal_", id="only its beginning"),
        pytest.param("amiportal_wrong", id="another"),
        pytest.param("amiportal_" + "x" * 100_000, id="very long"),
        pytest.param("amiportal_\0", id="with a NUL"),
        pytest.param("amiportal_\ud800", id="with half a surrogate"),
    ],
)
def test_another_secret_finds_nothing(wrong):
    make_token()

    assert ApiToken.objects.of_secret(wrong, at=NOON) is None


def test_its_digest_is_no_secret():
    token, _ = make_token()

    assert ApiToken.objects.of_secret(token.digest, at=NOON) is None
    assert ApiToken.objects.of_secret("amiportal_" + token.digest, at=NOON) is None


def test_ends_with_its_time():
    _, secret = make_token(expires_at=NOON)

    assert ApiToken.objects.of_secret(secret, at=NOON - SECOND)
    assert not ApiToken.objects.of_secret(secret, at=NOON)


def test_ends_when_it_is_revoked():
    _, secret = make_token(revoked_at=NOON)

    assert not ApiToken.objects.of_secret(secret, at=NOON)


def test_ends_with_its_user():
    _, secret = make_token(user=make_user(is_active=False))

    assert not ApiToken.objects.of_secret(secret, at=NOON)


@pytest.mark.parametrize(
    ("after", "noted"),
    [
        pytest.param(timedelta(seconds=59), NOON, id="within a minute"),
        pytest.param(timedelta(minutes=1), NOON + timedelta(minutes=1), id="after a minute"),
    ],
)
def test_its_use_is_noted_once_a_minute(after, noted):
    token, secret = make_token()
    token.note_use(at=NOON)

    ApiToken.objects.of_secret(secret, at=NOON).note_use(at=NOON + after)

    token.refresh_from_db()
    assert token.last_used_at == noted


def test_a_use_that_another_process_noted_is_not_set_back():
    token, _ = make_token()
    ApiToken.objects.update(last_used_at=NOON + SECOND)

    token.note_use(at=NOON)

    token.refresh_from_db()
    assert token.last_used_at == NOON + SECOND


def test_has_a_name():
    with pytest.raises(IntegrityError, match="has_a_name"):
        make_token(name="")
