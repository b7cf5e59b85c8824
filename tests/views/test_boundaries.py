"""Of another account, nothing is shown: not as evidence, not in a report, not as a neighbor."""

import pytest
from django.urls import reverse

from registry.models import Role
from tests.factories import (
    NOON,
    make_account,
    make_cover,
    make_finding,
    make_image,
    make_instance,
    make_report,
    make_reserved_instance,
    make_run,
    make_user,
)


@pytest.fixture
def mine(db):
    return make_account(name="mine")


@pytest.fixture
def reader(client, mine):
    client.force_login(make_user(Role.VIEWER, account=mine))
    return client


def text(answer):
    return answer.content.decode()


def test_the_neighbors_of_a_purchase(reader, mine):
    other = make_instance(name="undisclosed")
    purchase = make_reserved_instance(
        account=mine,
        used="0",
        idle="1",
        reasons=[{"code": "wrong_platform", "instance_ids": [other.aws_id]}],
    )

    assert "undisclosed" not in text(reader.get(purchase.get_absolute_url()))


def test_what_a_purchase_pays_for(reader, mine):
    purchase = make_reserved_instance(account=mine, used="1", idle="0")
    make_cover(reserved_instance=purchase, instance=make_instance(name="undisclosed"))

    assert "undisclosed" not in text(reader.get(purchase.get_absolute_url()))


def test_people_who_read_other_accounts_only(client, mine):
    make_user(Role.VIEWER, username="undisclosed", account=make_account())
    make_user(Role.VIEWER, username="beside", account=mine)
    make_user(Role.VIEWER, username="everywhere")
    finding = make_finding(image=make_image(account=mine))

    def offered(person):
        client.force_login(person)
        page = client.get(reverse("findings:triage"), {"pick": finding.ref, "action": "assign"})
        return {one.username for one in page.context["form"].fields["person"].queryset}

    me, anybody = make_user(Role.ENGINEER, account=mine, username="me"), make_user(Role.ENGINEER)

    assert offered(me) == {"me", "beside", "everywhere", anybody.username}
    assert offered(anybody) == {"me", "beside", "everywhere", "undisclosed", anybody.username}


def test_the_instances_of_a_finding(reader, mine):
    image = make_image(account=mine)
    make_instance(name="undisclosed", image_id=image.aws_id)
    finding = make_finding(image=image)

    assert "undisclosed" not in text(reader.get(finding.get_absolute_url()))


@pytest.mark.parametrize("name", ["reports:detail", "reports:csv"])
def test_the_findings_of_a_report(reader, mine, name):
    row = {
        "ref": "F-0001",
        "severity": "high",
        "rule": "AMI001",
        "title": "Code lost",
        "account": make_account().number,
        "account_name": "undisclosed",
        "region": "eu-west-1",
        "thing": "ami-1",
        "name": "undisclosed",
        "actual": "",
        "expected": "",
        "per_month": None,
        "opened_at": NOON.isoformat(),
        "message": "",
    }
    totals = {"images": 4711, "verdicts": {}, "open_findings": 1, "idle_per_month": None}
    difference = {"opened": ["F-0001"], "closed": ["F-0002 undisclosed"]}
    result = {"as_of": NOON.isoformat(), "totals": totals, "scopes": []}
    report = make_report(
        created_at=NOON, result=result | {"findings": [row], "difference": difference}
    )

    page = text(reader.get(reverse(name, args=[report.ref])))

    assert "undisclosed" not in page
    assert "4,711" not in page


def test_what_came_of_a_run_about_everything(reader):
    make_run(kind="audit", state="succeeded", finished_at=NOON, note="undisclosed")

    assert "undisclosed" not in text(reader.get(reverse("jobs:list")))
    assert "undisclosed" not in text(reader.get(reverse("overview")))


def test_what_is_not_judged_is_not_called_fine(client, db):
    make_image()
    make_reserved_instance()
    client.force_login(make_user(Role.VIEWER))

    overview = text(client.get(reverse("overview")))
    findings = text(client.get(reverse("findings:list")))

    assert "1 of 1 images are not judged yet." in overview
    assert "1 active purchase is not judged yet." in overview
    assert "Nothing is wrong" not in findings


@pytest.mark.parametrize("path", ["/images/%00/", "/accounts/%00/", "/register/?account=%00"])
def test_a_nul_names_nothing(signed_in, path):
    make_image(account=make_account())

    assert signed_in.get(path).status_code in {200, 404}


def test_a_nul_in_a_form_breaks_nothing(signed_in):
    signed_in.post(reverse("scope"), {"regions": "\x00", "next": "/"})

    assert signed_in.post(reverse("images:verify"), {"pick": "\x00"}).status_code == 404
    assert signed_in.get(reverse("overview")).status_code == 200
