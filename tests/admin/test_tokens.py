import pytest
from django.utils import timezone

from registry.models import ApiToken, Role
from tests.factories import NOON, make_token, make_user

pytestmark = pytest.mark.django_db
LIST = "/admin/registry/apitoken/"


def revoke(browser, *tokens):
    keys = [token.pk for token in tokens]
    return browser.post(LIST, {"action": "revoke", "_selected_action": keys}, follow=True)


def test_a_revoked_token_opens_nothing_any_more(administrator):
    token, secret = make_token()

    answer = revoke(administrator, token)

    assert "1 token revoked." in answer.content.decode()
    assert ApiToken.objects.of_secret(secret, at=timezone.now()) is None


def test_the_others_stay(administrator):
    token, _ = make_token()
    _, secret = make_token()

    revoke(administrator, token)

    assert ApiToken.objects.of_secret(secret, at=timezone.now())


def test_what_is_revoked_already_keeps_its_time(administrator):
    token, _ = make_token(revoked_at=NOON)

    answer = revoke(administrator, token)

    token.refresh_from_db()
    assert "0 tokens revoked." in answer.content.decode()
    assert token.revoked_at == NOON


def test_who_revoked_it_is_kept(administrator):
    token, _ = make_token()

    revoke(administrator, token)

    history = administrator.get(f"{LIST}{token.pk}/history/").content.decode()
    assert "Revoked." in history
    assert "root" in history


def test_neither_secret_nor_digest_is_shown(administrator):
    token, secret = make_token()

    pages = [administrator.get(path) for path in (LIST, f"{LIST}{token.pk}/change/")]

    shown = "".join(page.content.decode() for page in pages)
    assert "pipeline" in shown
    assert secret not in shown
    assert token.digest not in shown


@pytest.mark.parametrize("page", ["add/", "{pk}/delete/"])
def test_a_token_is_neither_made_nor_deleted_here(administrator, page):
    token, _ = make_token()

    assert administrator.get(LIST + page.format(pk=token.pk)).status_code == 403


def test_nobody_else_revokes(client):
    token, secret = make_token()
    client.force_login(make_user(Role.ENGINEER))

    revoke(client, token)

    assert ApiToken.objects.of_secret(secret, at=timezone.now())
