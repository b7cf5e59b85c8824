import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from registry.models import Method, Policy, Registration, Role, Run
from tests.factories import (
    make_account,
    make_scope,
    make_snapshot,
    make_user,
)
from tests.registration.sources import HERE, INSTANCE_ID, THERE, mirror_sources
from tests.views.register import form, page_of, sent_back

pytestmark = pytest.mark.django_db
REGISTER = reverse("register")
METHODS = list(Method)


@pytest.fixture
def account():
    """An account with something to make an image of, whatever the method."""
    account = make_scope(region=HERE).account
    make_scope(account=account, region=THERE)
    mirror_sources(account)
    return account


def post(browser, data, step="submit"):
    return browser.post(REGISTER, data | {"step": step})


@pytest.mark.parametrize("step", ["show", "add", "review"])
@pytest.mark.parametrize("method", METHODS)
def test_before_it_is_submitted_nothing_is_kept(signed_in, account, method, step):
    answer = post(signed_in, form(account, method), step)

    assert answer.status_code == 200
    assert not Run.objects.exists()


@pytest.mark.parametrize("method", METHODS)
def test_each_method_becomes_a_request(signed_in, account, method):
    answer = post(signed_in, form(account, method))

    registration = Registration.objects.get()
    assert answer.url == registration.run.get_absolute_url()
    assert (registration.method, registration.region) == (method, HERE)
    assert registration.prediction["outcome"] in {"kept", "lost", "unknown"}


@pytest.mark.parametrize("method", METHODS)
def test_the_review_leads_to_the_very_same_request(signed_in, account, method):
    review = post(signed_in, form(account, method, tags='"note=a, b"'), "review")

    post(signed_in, sent_back(review))

    registration = Registration.objects.get()
    assert (registration.method, registration.name) == (method, "golden-1")
    assert registration.tags == {"note": "a, b"}
    assert registration.reason == "There is no instance any more."


@pytest.mark.parametrize(
    ("method", "call"),
    [
        ("snapshot", "aws ec2 register-image --region eu-west-1"),
        ("manifest", "aws ec2 register-image --region eu-west-1"),
        ("instance", "aws ec2 create-image --region eu-west-1"),
        ("copy", "aws ec2 copy-image --region eu-west-1"),
    ],
)
def test_the_review_shows_the_call_and_who_must_agree(signed_in, account, method, call):
    Policy.objects.create(name="Two for everything", approvals=2)

    text = page_of(post(signed_in, form(account, method), "review"))

    assert call in text
    assert "2 other persons must approve." in text
    assert "Policy: Two for everything" in text


def test_without_the_recommended_way_a_reason_is_asked_for(signed_in, account):
    answer = post(signed_in, form(account, reason="  "))

    assert answer.status_code == 422
    assert "To go on without it, say why." in page_of(answer)
    assert not Run.objects.exists()


def test_the_reason_that_is_given_then_is_kept(signed_in, account):
    asked = post(signed_in, form(account, reason=""), "review")

    post(signed_in, sent_back(asked) | {"reason": ["It was lost."]})

    assert Registration.objects.get().reason == "It was lost."


def test_the_recommended_instance_can_be_taken_instead(signed_in, account):
    data = form(account, tags="team=erp", instead=INSTANCE_ID)

    answer = post(signed_in, data, "instead")
    post(signed_in, sent_back(answer))

    registration = Registration.objects.get()
    assert registration.method == Method.INSTANCE
    assert registration.source_instance_id == INSTANCE_ID
    assert registration.tags == {"team": "erp"}


@pytest.mark.parametrize("method", METHODS)
def test_what_is_ticked_from_the_beginning_stays_so_over_another_method(signed_in, account, method):
    first = sent_back(signed_in.get(REGISTER, {"account": account.number, "region": HERE}))
    there = sent_back(post(signed_in, first | {"method": method}, "show"))

    back = post(signed_in, there | {"method": "snapshot"}, "show").context["form"]

    assert back["delete_on_termination"].value()
    assert back["copies_tags"].value()


@pytest.mark.parametrize("ticked", [True, False], ids=["ticked", "not ticked"])
@pytest.mark.parametrize("method", METHODS)
def test_what_was_typed_stays_over_another_method(signed_in, account, method, ticked):
    typed = {
        "volume_size": "16",
        "uefi_data": "abcd\nefgh",
        "reason": "Because.",
        "boot_mode": "uefi",
        "devices-TOTAL_FORMS": "1",
        "devices-0-device_name": "/dev/sdf",
        "devices-0-volume_size": "8",
    }
    ticks = ("delete_on_termination", "devices-0-delete_on_termination")
    data = form(account, **typed) | {"devices-INITIAL_FORMS": "0", "method": method}
    data |= dict.fromkeys(ticks, "on") if ticked else {}
    there = sent_back(post(signed_in, data, "show"))

    back = sent_back(post(signed_in, there | {"method": "snapshot"}, "show"))

    kept = {name: back.get(name) for name in typed}
    assert kept == {name: [value] for name, value in typed.items()}
    assert [name in back for name in ticks] == [ticked, ticked]


@pytest.mark.parametrize("changed", [{"region": THERE}, {"method": "copy"}], ids=str)
def test_what_was_typed_stays_in_another_place(signed_in, account, changed):
    data = form(account, description="mine", tags="team=erp", **changed)

    back = sent_back(post(signed_in, data, "show"))

    assert (back["name"], back["description"], back["tags"]) == (
        ["golden-1"],
        ["mine"],
        ["team=erp"],
    )


def test_what_belongs_to_another_method_does_not_stop_a_request(signed_in, account):
    data = form(account, "instance", volume_size="big") | {
        "devices-TOTAL_FORMS": "1",
        "devices-INITIAL_FORMS": "0",
        "devices-0-volume_size": "big",
    }

    post(signed_in, data)

    assert Registration.objects.get().method == Method.INSTANCE


def test_a_device_is_added_below_those_that_are_there(signed_in, account):
    one = form(account) | {
        "devices-TOTAL_FORMS": "1",
        "devices-INITIAL_FORMS": "0",
        "devices-0-device_name": "/dev/sdf",
    }

    devices = post(signed_in, one, "add").context["devices"]

    assert [device["device_name"].value() for device in devices] == ["/dev/sdf", None]


@pytest.mark.parametrize(
    "fields",
    [
        {"devices-TOTAL_FORMS": "many"},
        {"devices-TOTAL_FORMS": "1", "devices-INITIAL_FORMS": "0", "devices-0-volume_size": "x"},
        {"devices-TOTAL_FORMS": "1", "devices-INITIAL_FORMS": "0", "devices-0-volume_size": "8"},
        {"reason": "x" * 2_001},
        {"tags": '"team=erp'},
        {"volume_size": "-1"},
        {"volume_size": "99999999999999999999"},
        {"iops": "1"},
        {"uefi_data": "not base64"},
    ],
    ids=lambda fields: str(fields)[:60],
)
@pytest.mark.parametrize("step", ["review", "submit"])
def test_what_is_wrong_is_said_and_marked(signed_in, account, fields, step):
    answer = post(signed_in, form(account, **fields), step)

    assert answer.status_code == 422
    assert "Nothing was sent to AWS" in page_of(answer)
    assert "field__error" in page_of(answer) or "errorlist" in page_of(answer)
    assert not Run.objects.exists()


def test_a_form_that_comes_with_a_hundred_thousand_devices_is_cut(signed_in, account):
    data = form(account) | {"devices-TOTAL_FORMS": "100000", "devices-INITIAL_FORMS": "0"}

    assert len(post(signed_in, data, "show").context["devices"].forms) < 50


def test_copies_for_several_regions_are_a_batch(signed_in, account):
    data = form(account, "copy", destinations=[HERE, THERE])

    answer = post(signed_in, data)
    again = post(signed_in, data)

    batch = Registration.objects.values_list("batch", flat=True).distinct().get()
    assert answer.url == again.url == reverse("register-batch", args=[batch])
    assert set(Registration.objects.values_list("region", flat=True)) == {HERE, THERE}


def test_a_changed_form_under_a_used_key_says_that_it_was_sent_before(signed_in, account):
    data = form(account)
    post(signed_in, data)

    answer = signed_in.post(REGISTER, data | {"name": "golden-2"}, follow=True)

    assert Registration.objects.get().name == "golden-1"
    assert "What you changed since was not." in page_of(answer)


def test_the_same_form_twice_says_nothing(signed_in, account):
    data = form(account)
    post(signed_in, data)

    answer = signed_in.post(REGISTER, data, follow=True)

    assert list(answer.context["messages"]) == []


def test_an_image_of_another_account_can_not_be_copied_by_who_may_not_read_it(client, account):
    own = make_scope(region=HERE).account
    client.force_login(make_user(Role.DEVELOPER, account=own))

    answer = post(client, form(own, "copy", region=HERE, destinations=[HERE]))

    assert answer.status_code == 422
    assert not Run.objects.exists()


def test_who_may_register_nowhere_that_is_connected_is_told_so(client):
    recorded = make_account(is_synced=False)
    client.force_login(make_user(Role.ENGINEER, account=recorded))

    answer = client.get(REGISTER, follow=True)

    assert "No account in which you may register images is connected" in page_of(answer)


def test_the_form_takes_as_many_queries_with_many_snapshots(signed_in, account):
    where = {"account": account.number, "region": HERE}
    signed_in.get(REGISTER, where)
    with CaptureQueriesContext(connection) as few:
        signed_in.get(REGISTER, where)
    make_many_snapshots(account)

    with CaptureQueriesContext(connection) as many:
        signed_in.get(REGISTER, where)

    assert len(many) == len(few)


def make_many_snapshots(account):
    for _ in range(20):
        make_snapshot(account=account, region=HERE)


@pytest.mark.parametrize(
    "query",
    [
        {"step": "instead"},
        {"devices-TOTAL_FORMS": "x"},
        {"method": "theft", "region": "moon", "account": "1", "q": "\x00"},
        {"key": "x", "destinations": "x", "volume_size": "x"},
        {"snapshot_id": "\u202e🙂", "name": "<script>"},
    ],
    ids=str,
)
def test_an_address_that_makes_no_sense_shows_a_form(signed_in, account, query):
    answer = signed_in.get(REGISTER, query)

    assert answer.status_code == 200
    assert '<script>"' not in answer.content.decode()
