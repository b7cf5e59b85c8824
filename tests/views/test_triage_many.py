import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from registry.jobs.triage import run_triage
from registry.models import Activity, Finding, Role, Run, Triage
from tests.factories import LATER, make_finding, make_image, make_user

pytestmark = pytest.mark.django_db
MANY = reverse("findings:triage")


def me():
    return User.objects.order_by("pk").first()


def picked(*findings, **said):
    return {"pick": " ".join(finding.ref for finding in findings), **said}


def all_of(query, total, **said):
    return {"all_matching": "1", "query": query, "total": str(total), **said}


def sent(client, form):
    return client.post(MANY, form | {"step": "submit"})


def test_shows_first_what_would_be_done_and_keeps_nothing(signed_in):
    findings = [make_finding(), make_finding(assignee=me())]
    over = make_finding(state="resolved", resolved_at=LATER)

    answer = signed_in.post(MANY, picked(*findings, over, action="assign"))

    found = answer.context["preview"]
    assert (found.number, found.done) == (3, 1)
    assert "It is resolved." in answer.content.decode()
    assert not Run.objects.exists()
    assert not Activity.objects.exists()


def test_asks_for_it_and_leads_to_the_job_with_its_ledger(signed_in):
    findings = [make_finding() for _ in range(3)]
    over = make_finding(state="resolved", resolved_at=LATER)
    make_finding()

    answer = sent(signed_in, picked(*findings, over, action="assign", person=me().username))
    run_triage(Run.objects.get().pk)
    page = signed_in.get(answer.url)

    assert Finding.objects.filter(assignee=me()).count() == 3
    text = page.content.decode()
    assert "3 done, 1 left as they are" in text
    assert "It is resolved." in text
    assert all(finding.ref in text for finding in [*findings, over])


def test_all_that_match_the_filter_travel_as_the_filter(signed_in):
    for _ in range(30):
        make_finding(rule="AMI003")
    make_finding()

    answer = sent(signed_in, all_of("rule=AMI003", 30, action="comment", text="Seen."))

    triage = Triage.objects.get()
    assert answer.url == triage.run.get_absolute_url()
    assert (triage.query, triage.items.count()) == ("rule=AMI003", 30)


def key_in(answer):
    found = re.search(r'name="key" value="([^"]+)"', answer.content.decode())
    assert found
    return found[1]


def test_what_is_sent_twice_is_asked_for_once(signed_in):
    form = picked(make_finding(), action="comment", text="Seen.")
    key = key_in(signed_in.post(MANY, form))

    answers = [sent(signed_in, form | {"key": key}) for _ in range(2)]

    assert [answer.url for answer in answers] == 2 * [Run.objects.get().get_absolute_url()]


def test_going_back_to_say_something_else_asks_for_that_too(signed_in):
    form = picked(make_finding(), action="comment")
    key = key_in(signed_in.post(MANY, form))

    for text in ("Seen.", "Seen again."):
        sent(signed_in, form | {"key": key, "text": text})

    assert set(Triage.objects.values_list("text", flat=True)) == {"Seen.", "Seen again."}


def test_a_form_that_was_refused_can_be_sent_again(signed_in):
    form = picked(make_finding(), action="comment")
    key = key_in(signed_in.post(MANY, form))

    assert key_in(sent(signed_in, form | {"key": key, "text": ""})) == key


def test_a_filter_that_matches_others_by_now_is_shown_again(signed_in):
    for _ in range(3):
        make_finding()

    answer = sent(signed_in, all_of("", 2, action="comment", text="Seen."))

    assert answer.status_code == 409
    assert b"The filter matches 3 findings by now. Look again." in answer.content
    assert b"Seen." in answer.content
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    "form",
    [
        pytest.param({"all_matching": "1"}, id="no filter"),
        pytest.param(all_of("severity=nonsense", 1), id="a filter that can't be read"),
        pytest.param({"pick": ""}, id="nothing"),
        pytest.param({"pick": "F-99999 x F-²"}, id="nothing there"),
        pytest.param({}, id="an empty form"),
    ],
)
def test_what_names_nothing_does_nothing(signed_in, form):
    make_finding()

    answer = signed_in.post(MANY, form | {"step": "submit", "action": "watch"}, follow=True)

    assert b"Select at least one finding." in answer.content
    assert not Run.objects.exists()


def test_an_address_does_nothing(signed_in):
    finding = make_finding()

    answer = signed_in.get(MANY, picked(finding, action="watch", step="submit"))

    assert answer.status_code == 200
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("said", "says"),
    [
        pytest.param({"action": "comment", "text": " "}, "Write a comment.", id="no comment"),
        pytest.param(
            {"action": "waive", "text": "Known.", "until": "2020-01-01"}, "future", id="past"
        ),
        pytest.param({"action": "assign", "person": "x"}, "valid choice", id="nobody"),
        pytest.param({"action": "reopen"}, "Nothing would be done", id="none fits"),
    ],
)
def test_what_can_not_be_asked_for_is_said_and_nothing_is_kept(signed_in, said, says):
    finding = make_finding()

    answer = sent(signed_in, picked(finding, **{"person": me().username} | said))

    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not Run.objects.exists()


def test_what_was_typed_for_one_action_is_there_for_the_next(signed_in):
    finding = make_finding()

    answer = signed_in.post(MANY, picked(finding, action="waive", text="Because of a test."))

    assert b"Because of a test." in answer.content


def test_many_are_waived_by_one_reason(signed_in):
    findings = [make_finding() for _ in range(2)]
    until = (timezone.now() + timedelta(days=10)).date().isoformat()

    sent(
        signed_in,
        picked(*findings, action="waive", text="Known.", until=until, person=me().username),
    )
    run_triage(Run.objects.get().pk)

    assert {finding.state for finding in Finding.objects.all()} == {"waived"}


def test_a_developer_is_told_what_the_role_leaves_out(client):
    mine = make_finding()
    taken = make_finding(image=make_image(account=mine.image.account), assignee=make_user())
    client.force_login(make_user(Role.DEVELOPER, account=mine.image.account, username="dora"))

    answer = client.post(MANY, picked(mine, taken, action="start"))

    assert answer.context["preview"].done == 1
    assert "dora may not start work on findings" in answer.content.decode()


def test_findings_of_others_are_not_chosen(client):
    mine, other = make_finding(), make_finding()
    client.force_login(make_user(Role.ENGINEER, account=mine.image.account))

    answer = client.post(MANY, picked(mine, other, action="watch"))

    assert answer.context["preview"].number == 1


def test_a_ledger_is_turned_page_by_page_and_by_what_became_of_them(signed_in):
    for number in range(60):
        make_finding(title=f"Number {number:02d}", assignee=me() if number < 2 else None)
    url = sent(signed_in, all_of("", 60, action="assign", person=me().username)).url
    run_triage(Run.objects.get().pk)

    second = signed_in.get(url, {"page": "2"}).content.decode()
    left = signed_in.get(url, {"state": "left"}).content.decode()

    assert "51–60 of 60" in second
    assert "1–2 of 2" in left
    assert "assigned already" in left


def test_a_ledger_takes_the_same_queries_however_long(signed_in, django_assert_max_num_queries):
    make_finding()
    url = sent(signed_in, all_of("", 1, action="watch")).url
    signed_in.get(url)
    with django_assert_max_num_queries(40) as few:
        signed_in.get(url)
    number = len(few)
    for _ in range(30):
        make_finding()
    long = sent(signed_in, all_of("", 31, action="watch")).url

    with django_assert_max_num_queries(number):
        signed_in.get(long)


def test_a_hostile_text_stays_text(signed_in):
    finding = make_finding()
    url = sent(signed_in, picked(finding, action="comment", text="<script>alert(1)</script>")).url

    assert b"<script>alert" not in signed_in.get(url).content
