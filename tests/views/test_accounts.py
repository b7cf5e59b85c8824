import pytest
from django.urls import reverse

from registry.models import Account, Role, Run
from tests.factories import (
    NOON,
    make_account,
    make_reserved_instance,
    make_run,
    make_scope,
    make_user,
)

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


def test_a_file_that_changes_accounts_asks_for_an_audit_of_purchases(administrator):
    make_reserved_instance()

    send = {"text": FILE, "apply": "1"}
    answer = administrator.post(reverse("accounts:load"), send, follow=True)

    run = Run.objects.get(kind="audit")
    assert f"2 changes applied. {run.ref} judges Reserved" in answer.content.decode()

    run.delete()
    administrator.post(reverse("accounts:load"), send)
    assert not Run.objects.exists()


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


PAYER = "100000000001"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        pytest.param({}, "With all accounts of the payer", id="with all"),
        pytest.param({"reserved_instance_sharing": False}, "With no other account", id="off"),
        pytest.param({"is_group_restricted": True}, "With no other account", id="in no group"),
        pytest.param(
            {"sharing_group": "<red>"},
            "With the group <bdi>&lt;red&gt;</bdi>, then with the payer's other accounts",
            id="first with a group",
        ),
        pytest.param(
            {"sharing_group": "blue"}, "Only with the group <bdi>blue</bdi>", id="restricted by one"
        ),
    ],
)
def test_says_with_whom_an_account_shares(signed_in, fields, says):
    make_account(payer=PAYER, sharing_group="blue", is_group_restricted=True)
    account = make_account(payer=PAYER, **fields)

    answer = signed_in.get(reverse("accounts:detail", args=[account.number]))

    assert says in " ".join(answer.content.decode().split())


def make_sync(scope, *missed):
    result = {"missed": [{"what": what, "why": "AccessDenied <b>"} for what in missed]}
    over = {"state": "succeeded", "finished_at": NOON}
    return make_run(kind="sync", scope=scope, result=result if missed else {}, **over)


def account_page(client, scope):
    return client.get(reverse("accounts:detail", args=[scope.account.number])).content.decode()


def test_an_account_says_what_its_last_sync_could_not_read(signed_in):
    scope = make_scope(synced_at=NOON)
    make_sync(scope, "the ancestry of images", "prices")

    page = account_page(signed_in, scope)

    assert "Could not read the ancestry of images: <bdi>AccessDenied &lt;b&gt;</bdi>" in page
    assert page.count("Could not read") == 2


def test_what_the_last_sync_could_read_again_is_no_longer_told(signed_in):
    scope, other = make_scope(synced_at=NOON), make_scope(synced_at=NOON)
    make_sync(scope, "the ancestry of images")
    make_sync(scope)
    make_sync(other, "the ancestry of images")

    assert "Could not read" not in account_page(signed_in, scope)


def test_a_sync_says_on_its_page_what_it_could_not_read(signed_in):
    run = make_sync(make_scope(), "the ancestry of images")

    page = signed_in.get(run.get_absolute_url()).content.decode()

    assert "The ancestry of images: <bdi>AccessDenied &lt;b&gt;</bdi>" in page


@pytest.mark.parametrize(
    ("bill", "says"), [("s3://bills/cur", "s3://bills/cur"), ("", "Not set up")], ids=["set", "not"]
)
def test_says_where_the_bill_of_an_account_lies(signed_in, bill, says):
    account = make_account(bill=bill)

    page = signed_in.get(reverse("accounts:detail", args=[account.number])).content.decode()

    assert says in page
    assert (reverse("bills:list") in page) == bool(bill)
