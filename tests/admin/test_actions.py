import pytest
from django.urls import reverse

from registry.models import Run, RunKind
from tests.factories import LATER, make_account, make_image, make_reserved_instance, make_scope

pytestmark = pytest.mark.django_db


def act(browser, model, action, rows):
    keys = [row.pk for row in rows]
    return browser.post(
        reverse(f"admin:registry_{model}_changelist"),
        {"action": action, "_selected_action": keys},
        follow=True,
    )


def test_verifies_images_again(administrator):
    scope = make_scope()
    images = [make_image(account=scope.account, region=scope.region) for _ in range(3)]

    answer = act(administrator, "image", "verify_again", images)

    run = Run.objects.get()
    assert run.kind == RunKind.VERIFY
    assert set(run.images.all()) == set(images)
    assert run.ref in answer.content.decode()
    assert "3 images are read again" in answer.content.decode()


def test_does_not_look_for_what_is_gone(administrator):
    scope = make_scope()
    gone = make_image(account=scope.account, gone_at=LATER)

    answer = act(administrator, "image", "verify_again", [gone])

    assert not Run.objects.exists()
    assert "0 images" in answer.content.decode()


@pytest.mark.parametrize(
    ("model", "make"),
    [
        pytest.param("image", make_image, id="images"),
        pytest.param("reservedinstance", make_reserved_instance, id="purchases"),
    ],
)
def test_audits_now(administrator, model, make):
    answer = act(administrator, model, "audit_now", [make()])

    assert Run.objects.get().kind == RunKind.AUDIT
    assert Run.objects.get().ref in answer.content.decode()


def test_syncs_now(administrator):
    scopes = [make_scope(), make_scope()]

    answer = act(administrator, "scope", "sync_now", scopes)

    assert {run.scope for run in Run.objects.filter(kind=RunKind.SYNC)} == set(scopes)
    assert "2 regions are read now." in answer.content.decode()


def test_says_what_it_did_not_sync(administrator):
    recorded = make_scope(account=make_account(is_synced=False))

    answer = act(administrator, "scope", "sync_now", [make_scope(is_enabled=False), recorded])

    assert not Run.objects.exists()
    assert "2 left out" in answer.content.decode()


def test_asking_twice_syncs_once(administrator):
    scope = make_scope()

    act(administrator, "scope", "sync_now", [scope])
    act(administrator, "scope", "sync_now", [scope])

    assert Run.objects.count() == 1


def test_syncs_every_region_of_an_account(administrator):
    account = make_account()
    scopes = [make_scope(account=account, region=region) for region in ("eu-west-1", "us-east-1")]
    make_scope()

    act(administrator, "account", "sync_now", [account])

    assert {run.scope for run in Run.objects.all()} == set(scopes)


def save(administrator, account, **fields):
    """Save an account as its form stands, with some fields otherwise."""
    page = reverse("admin:registry_account_change", args=[account.pk])
    form = administrator.get(page).context["adminform"].form
    sent = {name: value for name, value in form.initial.items() if value not in (None, False)}
    sent |= {"scopes-TOTAL_FORMS": "0", "scopes-INITIAL_FORMS": "0"}
    answer = administrator.post(page, sent | fields, follow=True)
    assert "Please correct" not in answer.content.decode()
    return answer


def test_an_account_that_shares_otherwise_asks_for_an_audit(administrator):
    account = make_reserved_instance().account

    answer = save(administrator, account, sharing_group="group-1")

    account.refresh_from_db()
    assert account.sharing_group == "group-1"
    run = Run.objects.get(kind=RunKind.AUDIT)
    assert f"{run.ref} judges Reserved Instances again." in answer.content.decode()


def test_an_account_of_another_name_asks_for_no_audit(administrator):
    account = make_reserved_instance().account

    save(administrator, account, name="other")

    account.refresh_from_db()
    assert account.name == "other"
    assert not Run.objects.exists()


def test_without_purchases_nothing_is_judged_again(administrator):
    save(administrator, make_account(), sharing_group="group-1")

    assert not Run.objects.exists()
