from datetime import timedelta

import pytest
from django.urls import reverse

from registry.models import Role
from tests.factories import (
    LATER,
    NOON,
    make_account,
    make_cover,
    make_finding,
    make_image,
    make_instance,
    make_reserved_instance,
    make_user,
)

RHEL = "RunInstances:0010"
SOON = timedelta(seconds=20)


def page(client, instance):
    answer = client.get(instance.get_absolute_url())
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_an_instance_shows_its_code_and_that_of_its_image(signed_in):
    image = make_image(name="golden", usage_operation="RunInstances:0800", verdict="wrong")
    instance = make_instance(image_id=image.aws_id, usage_operation=RHEL)

    text = page(signed_in, instance)

    assert f'<a href="{image.get_absolute_url()}"><bdi>golden</bdi></a>' in text
    assert "Red Hat Enterprise Linux" in text
    assert ":<b>0800</b>" in text
    assert "Wrong code" in text


def test_an_image_that_is_not_in_the_inventory_is_named_as_aws_names_it(signed_in):
    text = page(signed_in, make_instance(image_id="ami-public", image_name="al2023"))

    assert "ami-public" in text
    assert "<bdi>al2023</bdi>" in text
    assert reverse("images:detail", args=["ami-public"]) not in text


def test_of_an_image_out_of_reach_only_the_id_is_shown(client, db):
    image = make_image(name="undisclosed", usage_operation=RHEL)
    instance = make_instance(image_id=image.aws_id)
    client.force_login(make_user(Role.VIEWER, account=instance.account))

    text = page(client, instance)

    assert image.aws_id in text
    assert "undisclosed" not in text
    assert ":<b>0010</b>" not in text  # the bare digits may be part of an id


@pytest.mark.parametrize(
    ("changed_at", "launched_at", "words"),
    [
        (LATER, NOON, "Yes: its code changed on"),
        (NOON, NOON, "No: its code is as old as its last start"),
        (NOON + SOON, NOON, "No: its code is as old as its last start"),
        (NOON - SOON, NOON, "Unknown: its code is of"),
        (None, NOON, '<dt>Converted</dt> <dd> <span class="dim">Unknown</span>'),
        (NOON, None, '<dt>Converted</dt> <dd> <span class="dim">Unknown</span>'),
    ],
)
def test_whether_it_was_converted(signed_in, changed_at, launched_at, words):
    instance = make_instance(usage_operation_updated_at=changed_at, launched_at=launched_at)

    assert words in page(signed_in, instance)


def test_what_was_never_recorded_is_not_called_empty(signed_in):
    instance = make_instance(usage_operation=None, platform_details=None, tenancy="")

    text = page(signed_in, instance)

    assert '<dt>Platform details</dt> <dd> <span class="dim">Not recorded</span>' in text
    assert "<dt>Tenancy</dt><dd>Not recorded</dd>" in text
    assert '<span class="stamp stamp--none">not recorded</span>' in text


def test_an_instance_names_the_purchases_that_pay_for_it(client, db):
    account = make_account()
    instance = make_instance(account=account)
    mine = make_reserved_instance(account=account, instance_count=3)
    others = make_reserved_instance(instance_count=7)
    make_cover(instance=instance, reserved_instance=mine, share="1/2")
    make_cover(instance=instance, reserved_instance=others, share="1/4")
    client.force_login(make_user(Role.VIEWER, account=account))

    text = page(client, instance)

    assert f'<a href="{mine.get_absolute_url()}">3 × m5.large</a>' in text
    assert '<td class="num">1/2</td>' in text
    assert "7 × m5.large" not in text


def test_an_instance_shows_its_open_findings_and_its_tags(signed_in):
    instance = make_instance(tags={"team": "<b>web</b>"})
    still = make_finding(instance=instance, title="Still so")
    make_finding(
        instance=instance, title="Put right", rule="X", state="resolved", resolved_at=LATER
    )

    text = page(signed_in, instance)

    assert still.get_absolute_url() in text
    assert "Put right" not in text
    assert "<bdi>team</bdi>" in text
    assert "&lt;b&gt;web" in text


def test_of_two_instances_with_one_id_the_present_one_is_shown(signed_in):
    make_instance(aws_id="i-twice", name="old", gone_at=LATER)
    present = make_instance(aws_id="i-twice", name="new")

    assert "<bdi>new</bdi>" in page(signed_in, present)


def test_an_instance_that_is_gone_still_opens(signed_in):
    assert "Gone since" in page(signed_in, make_instance(gone_at=LATER))


def test_an_instance_that_is_not_there(signed_in):
    assert signed_in.get("/instances/i-none/").status_code == 404


def test_the_exact_id_of_an_instance_leads_to_its_page(signed_in):
    instance = make_instance()

    answer = signed_in.get(reverse("search"), {"q": instance.aws_id})

    assert answer.url == instance.get_absolute_url()


def test_an_instance_is_linked_from_where_it_is_listed(signed_in):
    image = make_image()
    instance = make_instance(image_id=image.aws_id)
    hop = {"kind": "instance", "name": "", "detail": "", "usage_operation": None}
    image.lineage = [hop | {"aws_id": instance.aws_id, "is_gone": False, "is_break": False}]
    image.save()
    link = f'href="{instance.get_absolute_url()}"'

    shown = [
        signed_in.get(address).content.decode().count(link)
        for address in (reverse("instances:list"), image.get_absolute_url())
    ]

    assert shown == [1, 2]  # the image's page names it in its lineage and in its table
