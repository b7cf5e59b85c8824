import json
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from registry.models import ApiToken, Role
from tests.factories import make_token, make_user

pytestmark = pytest.mark.django_db
ME = "/api/v1/me"


def ask(**headers):
    return Client().get(ME, headers=headers)


def test_a_token_acts_as_its_user():
    user = make_user(username="erin")
    _, secret = make_token(user=user, name="nightly")

    answer = ask(Authorization=f"Bearer {secret}")

    assert answer.json() == {"user": "erin", "token": "nightly", "expires_at": None}


def test_the_word_bearer_may_be_written_in_any_case():
    _, secret = make_token()

    assert ask(Authorization=f"bearer {secret}").status_code == 200


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(None, id="nothing"),
        pytest.param("", id="an empty header"),
        pytest.param("Bearer", id="only the word"),
        pytest.param("Bearer ", id="no secret"),
        pytest.param("Bearer amiportal_wrong", id="a wrong secret"),
        pytest.param("Basic {secret}", id="another scheme"),
        pytest.param("{secret}", id="no scheme"),
        pytest.param("Bearer {secret}x", id="a secret and more"),
        pytest.param("Bearer {secret} {secret}", id="two secrets"),
        pytest.param("Bearer {digest}", id="the digest"),
        pytest.param("Bearer \xff", id="no ASCII"),
    ],
)
def test_without_a_valid_token_nobody_comes_in(head):
    token, secret = make_token()
    headers = (
        {} if head is None else {"Authorization": head.format(secret=secret, digest=token.digest)}
    )

    answer = ask(**headers)

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer.json() == {"detail": "Send a token that is valid: Authorization: Bearer SECRET."}


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"revoked_at": timezone.now()}, id="revoked"),
        pytest.param({"expires_at": timezone.now()}, id="expired"),
    ],
)
def test_a_token_that_is_over_opens_nothing(fields):
    _, secret = make_token(**fields)

    assert ask(Authorization=f"Bearer {secret}").status_code == 401


def test_a_token_of_somebody_deactivated_opens_nothing():
    _, secret = make_token(user=make_user(Role.ADMIN, is_active=False))

    assert ask(Authorization=f"Bearer {secret}").status_code == 401


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("path", ["me", "registrations", "registrations/check", "nothing"])
def test_a_session_opens_nothing(client, method, path):
    client.force_login(make_user(Role.ADMIN))

    answer = getattr(client, method)(f"/api/v1/{path}")

    assert answer.status_code == 401


def test_a_session_of_somebody_else_does_not_count(client):
    client.force_login(make_user(Role.ADMIN, username="root"))
    _, secret = make_token(user=make_user(username="erin"))

    answer = client.get(ME, headers={"Authorization": f"Bearer {secret}"})

    assert answer.json()["user"] == "erin"


def test_without_its_door_the_api_is_closed(client, settings):
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "Door" not in name]
    client.force_login(make_user(Role.ADMIN))

    assert client.get(ME).status_code == 401


def test_a_token_opens_no_page():
    _, secret = make_token(user=make_user(Role.ADMIN))

    answer = Client().get("/images/", headers={"Authorization": f"Bearer {secret}"})

    assert answer.status_code == 302


def test_the_use_of_a_token_is_noted_once_a_minute(django_assert_num_queries):
    token, secret = make_token()

    ask(Authorization=f"Bearer {secret}")

    just_now = timezone.now() - timedelta(minutes=1)
    assert ApiToken.objects.filter(pk=token.pk, last_used_at__gte=just_now).exists()
    with django_assert_num_queries(1):
        ask(Authorization=f"Bearer {secret}")


def test_a_wrong_token_is_not_noted():
    token, secret = make_token(revoked_at=timezone.now())

    ask(Authorization=f"Bearer {secret}")

    token.refresh_from_db()
    assert token.last_used_at is None


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        pytest.param("/nothing", 404, "nothing at this address", id="no such address"),
        pytest.param("/registrations/", 404, "nothing at this address", id="a slash"),
        pytest.param("/registrations/x", 404, "nothing at this address", id="no key"),
        pytest.param("/registrations/check", 405, "does not take", id="another method"),
        pytest.param("/images/a%00b", 400, "NUL", id="NUL in the path"),
        pytest.param("/images?q=a%00b", 400, "NUL", id="NUL in a value"),
        pytest.param("/images?a%00b=1", 400, "NUL", id="NUL in a name"),
        pytest.param("/images/a%0Ab", 404, "There is no image", id="a line break"),
    ],
)
def test_every_error_is_a_sentence_in_json(program, path, status, says):
    answer = program.get(path)

    assert answer.status_code == status
    assert says in answer.json()["detail"]


def test_another_method_is_told_which_there_is(program):
    assert program.get("/registrations/check")["Allow"] == "POST"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        pytest.param("", "needs a body", id="nothing"),
        pytest.param("{", "no JSON", id="half an object"),
        pytest.param("name=golden", "no JSON", id="a form"),
        pytest.param('{"name": NaN}', "NaN is no number", id="NaN"),
        pytest.param('{"name": "a", "name": "b"}', "twice", id="a field twice"),
        pytest.param("[" * 100_000, "nested too deeply", id="nested deeply"),
        pytest.param('{"iops": 1' + "0" * 5_000 + "}", "too long", id="a long number"),
        pytest.param(b'{"name": "\xff"}', "no text in UTF-8", id="another encoding"),
        pytest.param(json.dumps({"name": "a"}).encode("utf-16"), "UTF-8", id="UTF-16"),
    ],
)
def test_what_is_no_json_is_refused(program, body, says):
    answer = program.post("/registrations", body)

    assert answer.status_code == 400
    assert says in answer.json()["detail"]


def test_a_large_body_is_refused_before_it_is_read(program):
    answer = program.post("/registrations", b" " * 1_000_001)

    assert answer.status_code == 413
    assert answer.json() == {"detail": "Send at most 1 MB in one request."}


def test_a_body_as_large_as_may_be_is_read(program):
    answer = program.post("/registrations", b"{}" + b" " * (1_000_000 - 2))

    assert answer.status_code == 422


def test_a_failure_is_told_without_its_inside(program, caplog):
    def fail(execute, sql, *rest):
        if "registry_image" in sql:
            raise RuntimeError("the inside")
        return execute(sql, *rest)

    with connection.execute_wrapper(fail):
        answer = program.get("/images")

    assert answer.status_code == 500
    assert answer.json() == {"detail": "The portal failed. What happened stands in its log."}
    assert "the inside" in caplog.text


def test_a_database_that_is_away_is_told(program):
    def away(*_):
        raise OperationalError("the inside")

    with connection.execute_wrapper(away):
        answer = program.get("/images")

    assert answer.status_code == 503
    assert answer.json() == {"detail": "The database does not answer. Try again later."}


def test_nothing_is_kept_by_a_browser_or_a_proxy(program):
    assert program.get("/images")["Cache-Control"] == "no-store"


def test_no_description_is_served(program):
    assert program.get("/openapi.json").status_code == 404
    assert program.get("/docs").status_code == 404
