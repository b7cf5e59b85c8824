import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from registry.access import Action, may
from registry.models import Grant, Role
from tests.factories import make_account, make_user

pytestmark = pytest.mark.django_db
NO_GRANTS = {"grants-TOTAL_FORMS": "0", "grants-INITIAL_FORMS": "0"}


def test_a_person_gets_a_role_on_an_account(administrator):
    account, person = make_account(), make_user(None)

    administrator.post(
        reverse("admin:auth_user_change", args=[person.pk]),
        {
            "username": person.username,
            "is_active": "on",
            "grants-TOTAL_FORMS": "1",
            "grants-INITIAL_FORMS": "0",
            "grants-0-user": person.pk,
            "grants-0-account": account.pk,
            "grants-0-role": Role.ENGINEER,
        },
    )

    assert may(person, Action.REGISTER, account)
    assert not may(person, Action.REGISTER, make_account())


def test_nobody_becomes_a_superuser_by_a_form(administrator):
    person = make_user(None)

    administrator.post(
        reverse("admin:auth_user_change", args=[person.pk]),
        {"username": "renamed", "is_active": "on", "is_superuser": "on", **NO_GRANTS},
    )

    person.refresh_from_db()
    assert person.username == "renamed"
    assert not person.is_superuser


def test_the_password_of_a_superuser_is_out_of_reach(administrator):
    above = make_user(None, is_superuser=True, is_staff=True)

    answer = administrator.post(
        reverse("admin:auth_user_password_change", args=[above.pk]),
        {"password1": "a-new-pass-4711", "password2": "a-new-pass-4711"},
    )

    assert answer.status_code == 403
    assert User.objects.get(pk=above.pk).password == above.password


def test_nobody_is_deleted(administrator):
    person = make_user(Role.VIEWER)

    administrator.post(reverse("admin:auth_user_delete", args=[person.pk]), {"post": "yes"})

    assert Grant.objects.filter(user=person).exists()
