import pytest
from django.apps import apps
from django.contrib import admin
from django.urls import reverse

from registry.models import Image, Role
from tests.factories import (
    make_finding,
    make_image,
    make_instance,
    make_pattern,
    make_registration,
    make_report,
    make_reserved_instance,
    make_schedule,
    make_scope,
    make_snapshot,
    make_triage,
    make_user,
    make_volume,
    make_waiver,
)

pytestmark = pytest.mark.django_db
MODELS = [pytest.param(model, id=model.__name__) for model in admin.site._registry]
MIRRORED = ["image", "snapshot", "volume", "instance", "reservedinstance"]


@pytest.fixture
def one_of_each():
    make_scope()
    make_image()
    make_snapshot()
    make_volume()
    make_instance()
    make_reserved_instance()
    make_finding()
    make_waiver()
    make_triage()
    make_pattern()
    make_registration()
    make_report()
    make_schedule()


@pytest.mark.parametrize("model", MODELS)
def test_lists_its_rows(administrator, one_of_each, model):
    name = model._meta.model_name

    answer = administrator.get(reverse(f"admin:{model._meta.app_label}_{name}_changelist"))

    assert answer.status_code == 200


@pytest.mark.parametrize("model", MODELS)
def test_shows_one_row(administrator, one_of_each, model):
    row = model.objects.first()
    name = model._meta.model_name
    where = reverse(f"admin:{model._meta.app_label}_{name}_change", args=[row.pk] if row else [0])

    answer = administrator.get(where)

    assert answer.status_code == (200 if row else 302)


@pytest.mark.parametrize("name", MIRRORED)
def test_what_aws_wrote_can_neither_be_added_nor_deleted(administrator, one_of_each, name):
    row = apps.get_model("registry", name).objects.first()

    added = administrator.post(reverse(f"admin:registry_{name}_add"), {})
    deleted = administrator.post(reverse(f"admin:registry_{name}_delete", args=[row.pk]))

    assert (added.status_code, deleted.status_code) == (403, 403)


def test_what_aws_wrote_cannot_be_changed(administrator):
    image = make_image(name="as AWS says")
    where = reverse("admin:registry_image_change", args=[image.pk])

    answer = administrator.post(where, {"name": "as somebody wishes"})

    assert answer.status_code == 403
    assert Image.objects.get().name == "as AWS says"


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMIN])
def test_only_administrators_come_in(client, role):
    client.force_login(make_user(role, is_staff=True))

    answer = client.get(reverse("admin:index"))

    assert answer.status_code == 302


def test_an_administrator_of_one_account_does_not_come_in(client):
    client.force_login(make_user(Role.ADMIN, account=make_scope().account))

    answer = client.get(reverse("admin:index"))

    assert answer.status_code == 302


@pytest.mark.parametrize("name", MIRRORED)
def test_a_long_list_takes_as_many_queries_as_a_short_one(
    administrator, django_assert_max_num_queries, name
):
    make = {
        "image": make_image,
        "snapshot": make_snapshot,
        "volume": make_volume,
        "instance": make_instance,
        "reservedinstance": make_reserved_instance,
    }[name]
    for _ in range(30):
        make()

    with django_assert_max_num_queries(16):
        administrator.get(reverse(f"admin:registry_{name}_changelist"))


def test_the_own_password_is_changed_on_the_page_of_the_portal(administrator):
    answer = administrator.get(reverse("admin:password_change"))

    assert answer.url == reverse("password")
