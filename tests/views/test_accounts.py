import pytest
from django.urls import reverse

from registry.models import Account, Role, Run
from tests.factories import make_account, make_scope, make_user

FILE = """
[[account]]
id = "123456789012"
name = "core"
regions = ["us-east-1"]
"""


@pytest.fixture
def administrator(client, db):
    client.force_login(make_user(Role.ADMIN))
    return client


def test_a_file_is_shown_before_it_is_applied(administrator):
    answer = administrator.post(reverse("accounts:load"), {"text": FILE})

    assert "+ account 123456789012 core" in answer.content.decode()
    assert not Account.objects.exists()


def test_a_file_is_applied(administrator):
    answer = administrator.post(reverse("accounts:load"), {"text": FILE, "apply": "1"})

    assert answer.url == reverse("accounts:list")
    assert Account.objects.get().number == "123456789012"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("", "This field is required", id="nothing"),
        pytest.param("[[account]\n", "This is not TOML", id="no TOML"),
        pytest.param(FILE + "colour = 1\n", "Line 6: unknown key colour", id="unknown key"),
        pytest.param(FILE + 'role_arn = "x"\n', "Line 6:", id="no ARN"),
        pytest.param("a" * 300_000, "at most 200000", id="too much"),
    ],
)
def test_a_wrong_file_is_refused_at_its_field(administrator, text, says):
    answer = administrator.post(reverse("accounts:load"), {"text": text, "apply": "1"})

    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not Account.objects.exists()


def test_syncs_every_region_that_is_read(signed_in):
    make_scope()
    make_scope(is_enabled=False)
    make_scope(account=make_account(is_synced=False))

    answer = signed_in.post(reverse("accounts:sync"), follow=True)

    assert Run.objects.count() == 1
    assert "1 region is read now." in answer.content.decode()


def test_syncs_one_account(signed_in):
    scope, _ = make_scope(), make_scope()

    signed_in.post(reverse("accounts:sync"), {"account": scope.account.number})

    assert Run.objects.get().scope == scope
