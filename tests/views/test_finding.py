from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from registry.models import Activity, Finding, Role, Waiver
from tests.factories import (
    LATER,
    NOON,
    make_account,
    make_finding,
    make_image,
    make_instance,
    make_reserved_instance,
    make_user,
    make_waiver,
)

pytestmark = pytest.mark.django_db


def day(number):
    return (timezone.now() + timedelta(days=number)).date().isoformat()


def page(client, finding, **query):
    return client.get(finding.get_absolute_url(), query)


def do(client, finding, what, **said):
    return client.post(reverse(f"findings:{what}", args=[finding.ref]), said)


def me():
    return User.objects.order_by("pk").first()


def test_shows_what_one_cause_has_done_besides(signed_in):
    finding = make_finding(cause="snap-1")
    copy = make_finding(cause="snap-1", image=make_image(name="the-copy"))
    make_finding(cause="snap-1", image=make_image(name="over"), resolved_at=LATER, state="resolved")
    make_finding(image=make_image(name="another"))

    answer = page(signed_in, finding)

    assert list(answer.context["others"]) == [copy]
    assert b"the-copy" in answer.content


@pytest.mark.parametrize(
    ("rule", "verdict", "is_compared"),
    [
        ("AMI001", "lost", True),
        ("AMI012", "lost", True),
        pytest.param("AMI014", "lost", False, id="it is about something else"),
        pytest.param("AMI010", "ok", False, id="the code is what is expected"),
        pytest.param("AMI001", "ok", False, id="it is no longer so"),
        pytest.param("AMI013", "lost", False, id="of a gone image nothing is expected"),
    ],
)
def test_compares_the_codes_where_their_difference_is_what_is_wrong(
    signed_in, rule, verdict, is_compared
):
    image = make_image(verdict=verdict, expected_usage_operation="RunInstances:0010")

    text = page(signed_in, make_finding(rule=rule, image=image)).content.decode()

    assert ("does not equal" in text) == is_compared


def test_only_the_wrong_code_is_marked_on_its_instances(signed_in):
    image = make_image(verdict="lost", expected_usage_operation="RunInstances:0010")
    make_instance(image_id=image.aws_id)
    make_instance(image_id=image.aws_id, usage_operation="RunInstances:0010")

    text = page(signed_in, make_finding(image=image)).content.decode()
    table = text.partition('id="h-i"')[2].partition("</table>")[0]

    assert table.count("stamp--bad") == 1


def test_a_finding_without_a_cause_is_like_no_other(signed_in):
    finding = make_finding()
    make_finding()

    assert not page(signed_in, finding).context["others_total"]


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("AMI001", "Its code is what is expected, or the image is gone."),
        ("AMI012", "No instance of it runs any more"),
        ("AMI013", "No instance of it runs any more, or AWS shows the image again."),
        ("INS001", "The two codes agree, or the instance is terminated or gone."),
        ("RI001", "or the purchase is over."),
    ],
)
def test_says_when_it_closes(signed_in, rule, says):
    things: dict[str, Any] = {"INS001": {"instance": make_instance()}}
    things["RI001"] = {"reserved_instance": make_reserved_instance()}

    text = page(signed_in, make_finding(rule=rule, **things.get(rule, {}))).content.decode()

    assert says in text


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        pytest.param({"monthly_cost": Decimal(73)}, "share of the idle units", id="known"),
        pytest.param(
            {"idle_purchases": ["ri-1"]}, "price of a purchase is not known", id="unknown"
        ),
        pytest.param({"running": 2}, "No purchase stays idle", id="none"),
    ],
)
def test_says_how_the_cost_is_reckoned(signed_in, fields, says):
    assert says in page(signed_in, make_finding(**fields)).content.decode()


def test_leads_to_the_idle_purchases(signed_in):
    purchase = make_reserved_instance()
    finding = make_finding(idle_purchases=[purchase.aws_id])

    assert purchase.get_absolute_url() in page(signed_in, finding).content.decode()


def test_offers_to_read_an_image_again_and_to_sync_what_can_not_be_read_alone(signed_in):
    image = page(signed_in, make_finding()).content.decode()
    purchase = page(signed_in, make_finding(reserved_instance=make_reserved_instance()))

    assert "Verify again" in image
    assert "Sync now" not in image
    assert "Sync now" in purchase.content.decode()
    assert "Resolve<" not in image


def test_offers_no_reading_of_an_account_that_nobody_asks(signed_in):
    image = make_image(account=make_account(is_synced=False))

    text = page(signed_in, make_finding(image=image)).content.decode()

    assert "Verify again" not in text
    assert "Sync now" not in text
    assert "Checked after every import" in text


@pytest.mark.parametrize(
    ("state", "buttons"),
    [
        ("open", {"start", "waive"}),
        ("reopened", {"start", "waive"}),
        ("in_progress", {"waive", "reopen"}),
        ("resolved", set()),
    ],
)
def test_offers_what_can_be_done_to_it_now(signed_in, state, buttons):
    over = {"resolved_at": LATER} if state == "resolved" else {}

    answer = page(signed_in, make_finding(state=state, **over))

    assert set(answer.context["buttons"]) == buttons


def test_says_why_a_role_can_not(client):
    finding = make_finding()
    client.force_login(make_user(Role.VIEWER, username="vic"))

    text = page(client, finding).content.decode()

    assert "vic may not start work on findings" in text
    assert text.count("disabled aria-describedby") == 3
    assert "<textarea" not in text


def test_a_developer_takes_on_what_is_nobody_elses(client):
    finding = make_finding()
    client.force_login(make_user(Role.DEVELOPER, username="dora"))

    text = page(client, finding).content.decode()
    do(client, finding, "assign", person="dora")

    assert "Assign to me" in text
    assert "<select" not in text
    assert Finding.objects.get().assignee.username == "dora"


def test_who_may_not_is_not_told_first_what_is_wrong_with_the_form(client):
    finding = make_finding()
    client.force_login(make_user(Role.VIEWER))

    assert do(client, finding, "comment", text="").status_code == 403


def test_what_is_done_leads_back_to_the_page(signed_in):
    finding = make_finding()
    here = f"{finding.get_absolute_url()}?from=q%3Dx"

    answer = do(signed_in, finding, "start", next=here)

    assert answer.url == here
    assert Finding.objects.get().state == "in_progress"


def test_a_comment_keeps_its_lines_and_stays_text(signed_in):
    finding = make_finding()

    do(signed_in, finding, "comment", text="First <b>line</b>.\nSecond line.")
    text = page(signed_in, finding).content.decode()

    assert "First &lt;b&gt;line&lt;/b&gt;.<br>Second line." in text


def test_an_empty_comment_is_said_at_its_field(signed_in):
    finding = make_finding()

    answer = do(signed_in, finding, "comment", text=" ")

    assert answer.status_code == 422
    assert b"Write a comment." in answer.content
    assert not Activity.objects.exists()


def test_a_waiver_is_proposed_for_ninety_days(signed_in):
    text = page(signed_in, make_finding(), waive=1).content.decode()

    assert f'value="{day(90)}"' in text


def test_it_is_waived_with_owner_reason_and_end(signed_in):
    finding, owner = make_finding(), make_user(username="priya")

    answer = do(signed_in, finding, "waive", text="Known.", person="priya", until=day(30))

    waiver = Waiver.objects.get()
    assert answer.status_code == 302
    assert (waiver.owner, waiver.reason, waiver.by) == (owner, "Known.", me())
    assert waiver.until.isoformat() == f"{day(30)}T00:00:00+00:00"
    assert "then it reopens by itself" in page(signed_in, finding).content.decode()


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        pytest.param({"text": ""}, "Say why it may stay as it is.", id="no reason"),
        pytest.param({"person": ""}, "Name who answers for it.", id="no owner"),
        pytest.param({"person": "stranger"}, "Select a valid choice.", id="may not read"),
        pytest.param({"until": ""}, "Say until when.", id="no day"),
        pytest.param({"until": "2020-01-01"}, "Choose a time in the future.", id="past"),
        pytest.param({"until": "2999-12-31"}, "A waiver lasts a year at most.", id="too long"),
        pytest.param({"until": "31.12."}, "Enter a valid date.", id="no date"),
    ],
)
def test_a_waiver_that_is_not_whole_keeps_nothing_and_what_was_typed(signed_in, changed, says):
    finding = make_finding()
    make_user(Role.ADMIN, username="stranger", account=make_account())
    said = {"text": "Typed reason.", "person": me().username, "until": day(30)} | changed

    answer = do(signed_in, finding, "waive", **said)

    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert said["text"] in answer.content.decode()
    assert Finding.objects.get().state == "open"
    assert not Waiver.objects.exists()


def test_a_form_that_was_refused_leads_back_to_the_page_and_not_to_itself(signed_in):
    finding = make_finding()

    text = do(signed_in, finding, "waive").content.decode()

    assert f'name="next" value="{finding.get_absolute_url()}"' in text
    assert f'name="next" value="{reverse("findings:waive", args=[finding.ref])}"' not in text


def test_the_last_day_of_a_year_can_be_chosen(signed_in):
    finding = make_finding()

    do(signed_in, finding, "waive", text="Known.", person=me().username, until=day(366))

    assert Finding.objects.get().state == "waived"


def test_a_waiver_is_taken_back(signed_in):
    finding = make_waiver().finding

    do(signed_in, finding, "reopen")

    assert Finding.objects.get().state == "open"
    assert not Waiver.objects.filter(ended_at=None).exists()


def test_who_reopens_it_can_say_why(signed_in):
    finding = make_waiver().finding

    assert b'name="text"' in page(signed_in, finding, reopen=1).content.partition(b'id="reopen"')[2]
    do(signed_in, finding, "reopen", text="It is used after all.")

    assert Activity.objects.latest("pk").text == "It is used after all."


def test_a_reason_to_reopen_that_is_too_long_is_shown_again(signed_in):
    finding = make_waiver().finding

    answer = do(signed_in, finding, "reopen", text="x" * 2_001)

    assert answer.status_code == 422
    assert b"at most 2000 characters" in answer.content
    assert Finding.objects.get().state == "waived"


def test_what_comes_too_late_is_said_and_nothing_is_done(signed_in):
    finding = make_finding(state="resolved", resolved_at=LATER)

    answer = signed_in.post(reverse("findings:start", args=[finding.ref]), follow=True)

    assert b"It is resolved." in answer.content
    assert Finding.objects.get().state == "resolved"


def test_it_is_watched_and_no_longer(signed_in):
    finding = make_finding()

    do(signed_in, finding, "watch")
    watched = page(signed_in, finding).context["is_watching"]
    do(signed_in, finding, "watch", stop=1)

    assert watched
    assert not page(signed_in, finding).context["is_watching"]


def test_previous_and_next_follow_the_list_that_one_came_from(signed_in):
    first = make_finding(severity="critical")
    second = make_finding(severity="high")
    make_finding(severity="high", rule="AMI003")
    third = make_finding(severity="low")

    context = page(signed_in, second, **{"from": "rule=AMI001"}).context

    assert (context["before"], context["after"]) == (first, third)


@pytest.mark.parametrize("came_from", ["", "q=nothing", "sort=%00", "page=x&view=nonsense"])
def test_a_list_that_does_not_hold_it_leads_nowhere(signed_in, came_from):
    answer = page(signed_in, make_finding(), **{"from": came_from})

    assert answer.status_code == 200


def test_an_account_of_others_is_not_told(client):
    image = make_image(name="mine")
    other = make_reserved_instance(instance_type="undisclosed.large")
    finding = make_finding(image=image, idle_purchases=[other.aws_id], cause="snap-1")
    make_finding(image=make_image(name="undisclosed-image"), cause="snap-1")
    make_instance(name="undisclosed-instance", image_id=image.aws_id)
    client.force_login(make_user(Role.ENGINEER, account=image.account))

    assert b"undisclosed" not in page(client, finding).content


def test_takes_the_same_queries_however_much_was_said(client, django_assert_max_num_queries):
    client.force_login(make_user(Role.ENGINEER))
    finding = make_finding(cause="snap-1")
    make_finding(cause="snap-1")
    page(client, finding)
    with django_assert_max_num_queries(36) as few:
        page(client, finding)
    for number in range(10):
        make_finding(cause="snap-1", image=make_image(name=f"copy-{number}"))
        Activity.objects.create(finding=finding, at=NOON, by=me(), kind="comment", text="Said.")

    with django_assert_max_num_queries(len(few)):
        page(client, finding)
