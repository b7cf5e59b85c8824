import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from registry.jobs.registrations import run_registration
from registry.models import Policy, Registration, Role, Run, RunState
from tests.factories import NOON, make_registration, make_run, make_scope, make_snapshot, make_user
from tests.jobs.steps import KEY
from tests.registration.calls import sent
from tests.registration.simulated import RHEL, SNAPSHOT_ID, put_snapshot
from tests.views.register import page_of

pytestmark = pytest.mark.django_db
MANY = reverse("register-many")
HEAD = "account,region,snapshot_id,name,expected_usage_operation,reason"


def line(snapshot, name, /, **changed):
    cells = {
        "account": snapshot.account.number,
        "region": snapshot.region,
        "snapshot_id": SNAPSHOT_ID,
        "name": name,
        "expected_usage_operation": RHEL,
        "reason": "It was lost.",
    }
    return ",".join((cells | changed).values())


def upload(browser, *lines, head=HEAD, **options):
    file = SimpleUploadedFile("many.csv", "\n".join([head, *lines]).encode())
    return browser.post(MANY, {"key": str(KEY), "file": file}, **options)


def take_up_all():
    for key in Run.objects.values_list("pk", flat=True):
        run_registration(key)


def batch_of(number, state=RunState.HELD, **fields):
    """Make requests that wait together; return the key of their batch."""
    key, scope = uuid.uuid4(), make_scope()
    trial = {"is_trial": True} if state == RunState.HELD else {}
    for _ in range(number):
        run = make_run(kind="register", state=state, **trial | fields)
        make_registration(run=run, batch=key, account=scope.account)
    return key


@pytest.fixture
def snapshot(aws, scope):
    """A snapshot that keeps its code, in AWS and in the mirror."""
    put_snapshot(aws)
    return make_snapshot(aws_id=SNAPSHOT_ID, account=scope.account, region=scope.region)


@pytest.fixture
def engineer(client, db):
    user = make_user(Role.ENGINEER)
    client.force_login(user)
    return user


def test_a_file_is_tried_and_nothing_of_it_is_made(aws, snapshot, signed_in):
    answer = upload(signed_in, line(snapshot, "golden-1"), line(snapshot, "golden-2"))

    rows = Registration.objects.order_by("pk")
    take_up_all()
    page = page_of(signed_in.get(answer.url))
    assert [row.name for row in rows] == ["golden-1", "golden-2"]
    assert {run.state for run in Run.objects.all()} == {RunState.HELD}
    assert "AWS would accept 2 of 2" in page
    assert "Make 2 images" in page
    assert sent(aws) == []


def test_what_was_tried_is_made_when_it_is_confirmed(aws, snapshot, signed_in):
    answer = upload(signed_in, line(snapshot, "golden-1"), line(snapshot, "golden-2"))
    take_up_all()

    said = signed_in.post(f"{answer.url}confirm/", follow=True)

    take_up_all()
    assert "2 requests confirmed." in page_of(said)
    assert {run.state for run in Run.objects.all()} == {RunState.SUCCEEDED}
    assert len(sent(aws)) == 2


def test_the_same_upload_twice_is_one_batch(snapshot, signed_in):
    one = upload(signed_in, line(snapshot, "golden-1"))
    two = upload(signed_in, line(snapshot, "golden-1"))

    assert one.url == two.url
    assert Registration.objects.count() == 1


def test_another_file_in_the_same_form_is_asked_for_as_well(snapshot, signed_in):
    one = upload(signed_in, line(snapshot, "golden-1"))
    two = upload(signed_in, line(snapshot, "golden-2"))

    assert one.url != two.url
    assert {row.name for row in Registration.objects.all()} == {"golden-1", "golden-2"}


@pytest.mark.parametrize(
    ("wrong", "column", "says"),
    [
        pytest.param({"name": "golden-1"}, "name", "Another image of this request", id="twice"),
        pytest.param({"name": "=cmd()"}, "name", "Use 3 to 128 letters", id="formula"),
        pytest.param({"name": "🙂🙂🙂"}, "name", "Use 3 to 128 letters", id="emojis"),
        pytest.param({"name": "\u202egolden"}, "name", "Use 3 to 128 letters", id="right to left"),
        pytest.param({"snapshot_id": "snap-0"}, "snapshot_id", "no such snapshot", id="source"),
        pytest.param({"reason": ""}, "reason", "say why", id="no reason"),
        pytest.param({"region": "x"}, "region", "no such region", id="region"),
        pytest.param({"account": "1"}, "account", "such an account", id="account"),
    ],
)
def test_one_line_that_is_wrong_keeps_all_back(aws, snapshot, signed_in, wrong, column, says):
    answer = upload(signed_in, line(snapshot, "golden-1"), line(snapshot, "golden-2", **wrong))

    (bad,) = answer.context["wrong"]
    assert answer.status_code == 422
    assert bad.number == 3
    assert says in bad.problems[column]
    assert "1 of 2 lines can't be made as they are" in page_of(answer)
    assert not Run.objects.exists()
    assert aws.calls == []


@pytest.mark.parametrize("volume", ["-1", "0", "99999999999999999999", "1e9"])
def test_no_size_of_a_volume_is_too_strange(snapshot, signed_in, volume):
    wrong = line(snapshot, "golden-1") + f",{volume}"

    answer = upload(signed_in, wrong, head=f"{HEAD},volume_size")

    assert answer.status_code == 422
    assert "volume_size" in answer.context["wrong"][0].problems
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    "devices",
    [
        '[{"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 8, "KmsKeyId": "k"}}]',
        '[{"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 8, "Encrypted": "no"}}]',
        '[{"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": NaN}}]',
        '[{"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 1e999}}]',
        '[{"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": -8}}]',
        '[{"DeviceName": "/dev/xvda", "NoDevice": ""}]',
        '[{"DeviceName": "/dev/sd\\u0000", "NoDevice": ""}]',
        '[{"DeviceName": "\\ud800", "NoDevice": ""}]',
        "[{}]",
        "[" + "{}, " * 1000 + "{}]",
    ],
    ids=lambda text: text[:70],
)
def test_no_device_of_a_file_is_lost_or_sent_as_something_else(snapshot, signed_in, devices):
    cell = '"' + devices.replace('"', '""') + '"'

    answer = upload(signed_in, f"{line(snapshot, 'golden-1')},{cell}", head=f"{HEAD},block_devices")

    assert answer.status_code == 422
    assert "block_devices" in answer.context["wrong"][0].problems
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00", b"\xff\xfe", b"account,colour", b'"', b"x" * 2_000_000, HEAD.encode("utf-16")],
    ids=lambda content: repr(content[:20]),
)
def test_a_file_that_is_no_table_is_refused(signed_in, content):
    file = SimpleUploadedFile("many.csv", content)

    answer = signed_in.post(MANY, {"key": str(KEY), "file": file})

    assert answer.status_code == 422
    assert answer.context["form"].errors["file"]


@pytest.mark.parametrize("data", [{}, {"key": "x"}, {"file": "no file"}], ids=str)
def test_an_upload_without_a_file_is_refused(signed_in, data):
    assert signed_in.post(MANY, data).status_code == 422


def test_what_may_not_be_registered_there_is_no_account_to_choose(client, snapshot):
    client.force_login(make_user(Role.ENGINEER, account=make_scope().account))

    answer = upload(client, line(snapshot, "golden-1"))

    assert "account" in answer.context["wrong"][0].problems
    assert not Run.objects.exists()


@pytest.mark.parametrize("page", ["register-batch", "register-batch-status"])
def test_a_batch_takes_as_many_queries_with_many_rows(signed_in, page):
    few, many = (reverse(page, args=[batch_of(number)]) for number in (3, 30))
    signed_in.get(few)
    with CaptureQueriesContext(connection) as of_few:
        signed_in.get(few)

    with CaptureQueriesContext(connection) as of_many:
        signed_in.get(many)

    assert len(of_many) == len(of_few)


@pytest.mark.parametrize(
    ("state", "is_polled"),
    [(RunState.QUEUED, True), (RunState.RUNNING, True), (RunState.HELD, False)],
)
def test_a_batch_is_asked_for_again_while_something_is_under_way(signed_in, state, is_polled):
    key = batch_of(2, state)

    page = page_of(signed_in.get(reverse("register-batch", args=[key])))

    where = reverse("register-batch-status", args=[key])
    assert (f'hx-get="{where}"' in page) == is_polled


def test_a_batch_of_somebody_else_has_nothing_to_confirm(signed_in):
    page = page_of(signed_in.get(reverse("register-batch", args=[batch_of(2)])))

    assert "Make 2 images" not in page


def test_who_asked_takes_all_of_a_batch_back(client, engineer):
    key = batch_of(2, requested_by=engineer)

    answer = client.post(reverse("register-batch-withdraw", args=[key]), follow=True)

    assert "2 requests withdrawn." in page_of(answer)
    assert {run.state for run in Run.objects.all()} == {RunState.FAILED}


def test_of_a_batch_only_what_one_may_decide_on_is_withdrawn(client):
    key, user = uuid.uuid4(), make_user(Role.VIEWER)
    client.force_login(user)
    held = {"kind": "register", "state": RunState.HELD}
    mine = make_registration(batch=key, run=make_run(requested_by=user, **held))
    other = make_registration(batch=key, run=make_run(**held))

    answer = client.post(reverse("register-batch-withdraw", args=[key]), follow=True)

    assert "1 request withdrawn." in page_of(answer)
    assert Run.objects.get(registration=mine).state == RunState.FAILED
    assert Run.objects.get(registration=other).state == RunState.HELD


def test_what_is_over_stays_as_it_is(client, engineer):
    key = batch_of(1, RunState.SUCCEEDED, finished_at=NOON, requested_by=engineer)

    answer = client.post(reverse("register-batch-confirm", args=[key]), follow=True)

    assert "0 requests confirmed." in page_of(answer)


def test_confirmed_requests_still_wait_for_others(aws, snapshot, client, engineer):
    Policy.objects.create(name="Others must agree", approvals=1)
    answer = upload(client, line(snapshot, "golden-1"))
    run_registration(Run.objects.get().pk)

    client.post(f"{answer.url}confirm/")

    assert Run.objects.get().note == "Waiting for the approval of another person."
    assert sent(aws) == []
