from decimal import Decimal

import pytest
from django.contrib.auth.hashers import make_password
from django.urls import reverse

from registry.models import Role, Run
from tests.factories import (
    LATER,
    NOON,
    make_account,
    make_cover,
    make_finding,
    make_image,
    make_instance,
    make_registration,
    make_reserved_instance,
    make_run,
    make_schedule,
    make_scope,
    make_snapshot,
    make_user,
    make_volume,
)


def test_an_image_shows_expected_and_actual_and_where_the_code_was_lost(signed_in):
    hop = {"kind": "snapshot", "name": "", "detail": "", "usage_operation": None, "is_gone": False}
    image = make_image(
        verdict="lost",
        expected_usage_operation="RunInstances:0010",
        expected_platform="Red Hat Enterprise Linux",
        confidence="strong",
        source="instance",
        lineage=[
            hop | {"aws_id": "snap-1", "is_break": False},
            hop | {"kind": "image", "aws_id": "ami-2", "is_break": True},
        ],
    )

    answer = signed_in.get(image.get_absolute_url())

    text = answer.content.decode()
    assert "Expected, from instance" in text
    assert "does not equal" in text
    assert [hop["breaks_next"] for hop in answer.context["hops"]] == [True, False]


def test_of_a_lineage_through_an_account_out_of_reach_only_the_ids_are_shown(client, db):
    parent = make_image(name="undisclosed")
    hop = {"kind": "image", "detail": "", "usage_operation": None, "is_gone": False}
    image = make_image(
        lineage=[hop | {"aws_id": parent.aws_id, "name": "undisclosed", "is_break": False}]
    )
    client.force_login(make_user(Role.VIEWER, account=image.account))

    text = client.get(image.get_absolute_url()).content.decode()

    assert parent.aws_id in text
    assert "undisclosed" not in text


def test_an_unknown_image_is_no_alarm(signed_in):
    image = make_image(verdict="unknown")

    text = signed_in.get(image.get_absolute_url()).content.decode()

    assert "Nothing tells what it should be." in text
    assert "does not equal" not in text


def test_a_code_that_was_never_recorded_is_not_called_empty(signed_in):
    image = make_image(verdict="unknown", usage_operation=None, platform_details=None)

    text = signed_in.get(image.get_absolute_url()).content.decode()

    assert "not recorded" in text
    assert '<span class="stamp stamp--none">empty</span>' not in text


def test_of_two_images_with_one_id_the_present_one_is_shown(signed_in):
    make_image(aws_id="ami-twice", name="old", gone_at=LATER)
    make_image(aws_id="ami-twice", name="here")

    answer = signed_in.get(reverse("images:detail", args=["ami-twice"]))

    assert answer.context["image"].name == "here"


def test_an_image_that_is_gone_still_opens(signed_in):
    image = make_image(gone_at=LATER)

    answer = signed_in.get(image.get_absolute_url())

    assert answer.status_code == 200
    assert b"Gone since" in answer.content
    assert b"Verify again" not in answer.content


def test_verifying_needs_a_choice(signed_in):
    answer = signed_in.post(reverse("images:verify"), {"next": "/images/"}, follow=True)

    assert b"Select at least one image." in answer.content
    assert not Run.objects.exists()


def test_verifying_one_image_leads_to_its_job(signed_in):
    scope = make_scope()
    image = make_image(account=scope.account)

    answer = signed_in.post(reverse("images:verify"), {"pick": image.aws_id})

    assert answer.url == Run.objects.get().get_absolute_url()


@pytest.mark.parametrize("ref", ["F-0", "F-99999", "F-x", "F-²", "1; drop", "F-" + "9" * 40])
def test_a_finding_that_is_not_there(signed_in, ref):
    answer = signed_in.get(reverse("findings:detail", args=[ref]))

    assert answer.status_code == 404


@pytest.mark.parametrize("ref", ["J-0", "J-99999", "J-x", "J-²", "J-" + "9" * 40])
def test_a_job_that_is_not_there(signed_in, ref):
    answer = signed_in.get(reverse("jobs:detail", args=[ref]))

    assert answer.status_code == 404


@pytest.mark.parametrize("ref", ["R-0", "R-x", "R-²", "R-" + "9" * 40])
def test_a_report_that_is_not_there(signed_in, ref):
    answer = signed_in.get(reverse("reports:detail", args=[ref]))

    assert answer.status_code == 404


def test_a_finding_names_its_next_steps(signed_in):
    finding = make_finding(remedy=["First this.", "Then that."])

    text = signed_in.get(finding.get_absolute_url()).content.decode()

    assert text.index("First this.") < text.index("Then that.")


def test_a_finding_of_a_purchase(signed_in):
    purchase = make_reserved_instance()
    finding = make_finding(reserved_instance=purchase, rule="RI001", monthly_cost=None)

    text = signed_in.get(finding.get_absolute_url()).content.decode()

    assert "Unknown" in text
    assert purchase.get_absolute_url() in text


def test_a_purchase_names_first_the_instances_whose_ami_lost_its_code(signed_in):
    bad = make_image(expected_usage_operation="RunInstances:0010")
    plain = make_instance(name="plain", image_id="ami-of-linux")
    lost = make_instance(name="lost", image_id=bad.aws_id)
    purchase = make_reserved_instance(
        product_description="Red Hat Enterprise Linux (Amazon VPC)",
        used="0",
        idle="1",
        reasons=[{"code": "wrong_platform", "instance_ids": [plain.aws_id, lost.aws_id]}],
    )

    answer = signed_in.get(purchase.get_absolute_url())

    assert [str(row) for row in answer.context["near"]] == ["lost", "plain"]
    text = answer.content.decode()
    assert "Nearest: 2 instances with another code." in text
    assert "1 whose AMI lost this code; 1 of whose AMI nothing tells" in text


def test_a_purchase_of_unknown_cost_is_not_free(signed_in):
    purchase = make_reserved_instance(used="0", idle="1", hourly_cost=None)

    text = signed_in.get(purchase.get_absolute_url()).content.decode()

    assert "$0" not in text
    assert "Unknown" in text


def test_a_purchase_names_what_it_pays_for(signed_in):
    purchase = make_reserved_instance(used="1/2", idle="1/2")
    make_cover(reserved_instance=purchase, instance=make_instance(name="served"), share="1/2")

    text = signed_in.get(purchase.get_absolute_url()).content.decode()

    assert "served" in text
    assert "1/2" in text


def test_a_job_that_is_over_is_asked_for_no_more(signed_in):
    over = make_run(kind="verify", scope=make_scope(), state="succeeded", finished_at=LATER)
    under_way = make_run(kind="verify", scope=make_scope())

    assert b"hx-trigger" not in signed_in.get(reverse("jobs:status", args=[over.ref])).content
    assert b"every 2s" in signed_in.get(reverse("jobs:status", args=[under_way.ref])).content


def test_a_mismatch_shows_the_advice_of_the_rules(signed_in):
    registration = make_registration(
        step="verified", verdict="lost", image_id="ami-1", usage_operation="RunInstances"
    )
    run = registration.run
    run.state, run.finished_at, run.result = "succeeded", LATER, {"advice": ["Do it again."]}
    run.save()

    text = signed_in.get(run.get_absolute_url()).content.decode()

    assert "Do it again." in text
    assert "Mismatch" in text


def test_a_failed_registration_leads_back_to_its_form(signed_in):
    registration = make_registration(name="my image")
    run = registration.run
    run.state, run.finished_at, run.error = "failed", LATER, "AWS refused."
    run.save()

    text = signed_in.get(run.get_absolute_url()).content.decode()

    assert "AWS refused." in text
    assert f"?again={run.ref}" in text


def test_an_account_tells_why_a_region_fails(signed_in):
    scope = make_scope(failing_since=NOON, failed_at=LATER, error="AccessDenied on <ec2>")

    text = signed_in.get(reverse("accounts:detail", args=[scope.account.number])).content.decode()

    assert "AccessDenied on &lt;ec2&gt;" in text


@pytest.mark.parametrize(
    ("fields", "tone"),
    [
        pytest.param({"is_enabled": False}, "off", id="disabled"),
        pytest.param({}, "stale", id="never read"),
        pytest.param({"synced_at": NOON}, "stale", id="read long ago"),
        pytest.param(
            {"failing_since": NOON, "failed_at": NOON, "error": "Denied."}, "fail", id="failing"
        ),
    ],
)
def test_the_freshness_of_a_region(signed_in, fields, tone):
    make_schedule(kind="sync", daily_at=None, every_minutes=5)
    make_scope(**fields)

    matrix = signed_in.get(reverse("accounts:list")).context["matrix"]

    assert [cell["tone"] for cell in matrix["rows"][0][1]] == [tone]


def test_an_exact_id_leads_to_its_page(signed_in):
    image = make_image()

    answer = signed_in.get(reverse("search"), {"q": f" {image.aws_id} "})

    assert answer.url == image.get_absolute_url()


def test_a_search_finds_things_of_every_kind(signed_in):
    make_image(name="needle-image")
    make_instance(name="needle-instance")

    text = signed_in.get(reverse("search"), {"q": "needle"}).content.decode()

    assert "needle-image" in text
    assert "needle-instance" in text


def test_the_reference_counts_images_of_each_code_and_names_the_unknown_first(signed_in):
    make_image(usage_operation="RunInstances:0010")
    make_image(usage_operation="RunInstances:00v0")

    rows = signed_in.get(reverse("codes")).context["rows"]

    assert rows[0]["code"] == "RunInstances:00v0"
    assert {row["code"]: row["images"] for row in rows}["RunInstances:0010"] == 1
    assert len(rows) == 20


def test_the_overview_of_nothing(signed_in):
    answer = signed_in.get(reverse("overview"))

    assert answer.status_code == 200


def test_money_that_is_unknown_is_said_to_be(signed_in):
    make_reserved_instance(used="0", idle="1", idle_hourly_cost=None)

    text = signed_in.get(reverse("overview")).content.decode()

    assert "1 without a known cost" in text


def test_only_of_what_is_idle_a_price_is_missing(signed_in):
    make_reserved_instance(used="1", idle="0", idle_hourly_cost=None)

    pages = [signed_in.get(reverse(name)) for name in ("overview", "reserved-instances:list")]

    assert not any("without a known cost" in page.content.decode() for page in pages)
    assert (pages[0].context["idle"]["hourly"], pages[1].context["idle_hourly"]) == (0, 0)


def test_the_overview_shows_the_dearest_idle_purchases_and_those_without_a_price_last(signed_in):
    costs = (None, Decimal("0.1"), Decimal("0.2"))
    free, cheap, dear = (
        make_reserved_instance(used="0", idle="1", idle_hourly_cost=cost) for cost in costs
    )

    answer = signed_in.get(reverse("overview"))

    assert list(answer.context["idle_purchases"]) == [dear, cheap, free]


def test_a_path_that_is_none(signed_in):
    answer = signed_in.get("/no/such/page/")

    assert answer.status_code == 404
    assert b"urlpatterns" not in answer.content


@pytest.mark.parametrize("path", ["/no/such/page/", "/images/no/such/page/"])
def test_a_path_that_is_none_for_somebody_who_has_not_signed_in(client, db, path):
    answer = client.get(path)

    assert answer.status_code == 404
    assert b"sidebar" not in answer.content


def test_a_code_that_cannot_be_judged_is_not_called_verified(signed_in):
    registration = make_registration(
        step="verified", verdict="unknown", image_id="ami-1", usage_operation="RunInstances:FFP"
    )
    run = registration.run
    run.state, run.finished_at = "succeeded", LATER
    run.save()

    text = signed_in.get(run.get_absolute_url()).content.decode()

    assert "can't be judged" in text.replace("&#x27;", "'")
    assert ">Verified<" not in text


def test_health_needs_no_sign_in(client, db):
    answer = client.get(reverse("health"))

    assert answer.status_code == 200


def test_every_page_carries_its_policy(signed_in):
    answer = signed_in.get(reverse("overview"))

    policy = answer["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_the_session_is_out_of_reach_of_scripts_and_other_sites(client, db):
    make_user(username="ada", password=make_password("difference-engine"))

    client.post(reverse("login"), {"username": "ada", "password": "difference-engine"})

    cookie = client.cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_after_five_wrong_passwords_there_is_a_pause(client, db):
    make_user(username="ada", password=make_password("difference-engine"))
    for guess in range(5):
        client.post(reverse("login"), {"username": "ada", "password": f"guess-{guess}"})

    answer = client.post(reverse("login"), {"username": "ada", "password": "difference-engine"})

    assert answer.status_code == 429
    assert "sessionid" not in client.cookies


def test_a_wrong_image_offers_to_be_made_again_from_its_instance(signed_in):
    account = make_account()
    make_scope(account=account)
    place = {"account": account, "region": "eu-west-1"}
    volume = make_volume(**place)
    instance = make_instance(
        state="running",
        usage_operation="RunInstances:0010",
        root_device_name="/dev/xvda",
        volumes={"/dev/xvda": volume.aws_id},
        **place,
    )
    snapshot = make_snapshot(volume_id=volume.aws_id, **place)
    image = make_image(
        verdict="lost",
        expected_usage_operation="RunInstances:0010",
        root_snapshot_id=snapshot.aws_id,
        **place,
    )

    text = signed_in.get(image.get_absolute_url()).content.decode()

    assert f"source_instance_id={instance.aws_id}" in text


@pytest.mark.parametrize(
    ("verdict", "says", "is_alarm"),
    [
        ("ok", "equals", False),
        ("lost", "does not equal", True),
        ("excused", "does not equal", False),
        ("unknown", "can&#x27;t be compared with", False),
        ("", "can&#x27;t be compared with", False),
    ],
)
def test_an_image_is_red_only_where_its_code_is_wrong(signed_in, verdict, says, is_alarm):
    image = make_image(verdict=verdict, expected_usage_operation="RunInstances:0010")

    text = signed_in.get(image.get_absolute_url()).content.decode()

    assert f'aria-label="{says}"' in text
    assert ("compare__side--bad" in text) == is_alarm
