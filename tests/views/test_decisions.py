import pytest
from django.urls import reverse

from registry.models import Decision, Role, Run, RunState
from tests.factories import make_registration, make_run, make_user
from tests.views.register import page_of

pytestmark = pytest.mark.django_db
REASON = {"answer": "approve", "reason": "It is right."}


@pytest.fixture
def developer(db):
    return make_user(Role.DEVELOPER, username="dora")


@pytest.fixture
def held(developer):
    """A request that waits for one other person."""
    return request_of(developer, approvals_needed=1, note="Waiting for the approval of another.")


def request_of(user, **fields):
    run = make_run(kind="register", state=RunState.HELD, requested_by=user, **fields)
    return make_registration(run=run).run


def post(browser, run, what, **data):
    return browser.post(reverse(f"jobs:{what}", args=[run.ref]), data, follow=True)


def shown(browser, run):
    return page_of(browser.get(run.get_absolute_url()))


@pytest.mark.parametrize(
    ("answer", "state", "said"),
    [("approve", RunState.QUEUED, "Approved"), ("decline", RunState.FAILED, "Declined")],
)
def test_a_decision_with_its_reason_counts(signed_in, held, answer, state, said):
    page = post(signed_in, held, "decide", answer=answer, reason="I looked.")

    held.refresh_from_db()
    assert held.state == state
    assert f"{said} {held.ref}." in page_of(page)
    assert Decision.objects.get().reason == "I looked."


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"answer": "approve"},
        {"answer": "approve", "reason": ""},
        {"answer": "approve", "reason": " \n\t"},
        {"answer": "approve", "reason": "x" * 2_001},
        {"answer": "approve", "reason": "a\x00b"},
        {"answer": "maybe", "reason": "I looked."},
        {"reason": "I looked."},
    ],
    ids=lambda sent: str(sent)[:50],
)
def test_without_an_answer_and_a_reason_nothing_is_decided(signed_in, held, sent):
    page = post(signed_in, held, "decide", **sent)

    held.refresh_from_db()
    assert held.state == RunState.HELD
    assert "Nothing was decided." in page_of(page)
    assert not Decision.objects.exists()


def test_a_decision_that_comes_too_late_is_told_so(signed_in, held):
    Run.objects.filter(pk=held.pk).update(state=RunState.QUEUED)

    page = post(signed_in, held, "decide", **REASON)

    assert f"{held.ref} does not wait for a decision: Queued." in page_of(page)


def test_nobody_decides_on_a_request_of_their_own(client):
    user = make_user(Role.ENGINEER)
    client.force_login(user)
    run = request_of(user, approvals_needed=1)

    answer = post(client, run, "decide", **REASON)

    assert answer.status_code == 403
    assert "Nobody approves their own request." in shown(client, run)


def test_who_may_decide_sees_the_form_and_it_is_not_taken_away(signed_in, held):
    page = shown(signed_in, held)

    assert reverse("jobs:decide", args=[held.ref]) in page
    assert "hx-trigger" not in page[page.index('<section id="run"') :][:300]


def test_who_asked_sees_no_form_but_what_becomes_of_it(client, held, developer):
    client.force_login(developer)

    page = shown(client, held)

    assert reverse("jobs:decide", args=[held.ref]) not in page
    assert reverse("jobs:withdraw", args=[held.ref]) in page
    assert f'hx-get="{reverse("jobs:status", args=[held.ref])}" hx-trigger="every 10s"' in page


def test_who_has_decided_sees_no_form_any_more(client, developer):
    user = make_user(Role.ENGINEER)
    client.force_login(user)
    run = request_of(developer, approvals_needed=2)
    post(client, run, "decide", **REASON)

    page = shown(client, run)

    assert reverse("jobs:decide", args=[run.ref]) not in page


def test_who_asked_confirms_a_trial(client, developer):
    client.force_login(developer)
    run = request_of(developer, is_trial=True)

    page = post(client, run, "confirm")

    run.refresh_from_db()
    assert (run.state, run.is_trial) == (RunState.QUEUED, False)
    assert f"Confirmed {run.ref}." in page_of(page)


def test_a_trial_of_somebody_else_is_shown_without_its_button(signed_in, developer):
    run = request_of(developer, is_trial=True)

    assert reverse("jobs:confirm", args=[run.ref]) not in shown(signed_in, run)


def test_who_asked_takes_a_request_back(client, held, developer):
    client.force_login(developer)

    page = post(client, held, "withdraw")

    held.refresh_from_db()
    assert held.error == "Withdrawn by dora. Nothing was sent to AWS."
    assert f"Withdrew {held.ref}." in page_of(page)


def test_what_only_reads_has_no_button_to_withdraw_it(client):
    client.force_login(make_user(Role.VIEWER))
    run = make_run(kind="audit")

    assert reverse("jobs:withdraw", args=[run.ref]) not in shown(client, run)


@pytest.mark.parametrize("what", ["decide", "confirm", "withdraw"])
@pytest.mark.parametrize("ref", ["J-0", "J-999999", "x", "J-" + "9" * 40])
def test_there_is_nothing_to_decide_on(signed_in, what, ref):
    answer = signed_in.post(reverse(f"jobs:{what}", args=[ref]), REASON)

    assert answer.status_code == 404
