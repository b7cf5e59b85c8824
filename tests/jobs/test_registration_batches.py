import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection

from registry.jobs.registrations import ManyRefused, request_registrations
from registry.models import Registration, Role, Run
from tests.factories import make_user
from tests.jobs.steps import KEY, wish
from tests.registration.calls import texts

pytestmark = pytest.mark.django_db
OTHER = uuid.UUID("22222222-2222-4333-8444-555555555555")


@pytest.fixture
def wishes(snapshot):
    return [wish(snapshot), wish(snapshot, key=OTHER, name="silver")]


def test_all_are_asked_for_in_the_order_of_the_wishes(wishes):
    found = request_registrations(wishes, by=None, batch=KEY)

    assert [row.key for row in found] == [KEY, OTHER]
    assert {row.batch for row in found} == {KEY}
    assert Run.objects.count() == 2


def test_one_that_is_wrong_keeps_all_back(aws, snapshot, wishes):
    wishes.append(wish(snapshot, key=uuid.uuid4(), name="no*stars"))

    with pytest.raises(ManyRefused) as caught:
        request_registrations(wishes, by=None)

    assert caught.value.problems.keys() == {2}
    assert caught.value.problems[2].keys() == {"name"}
    assert not Run.objects.exists()
    assert aws.calls == []


def test_all_that_is_wrong_is_said_at_once(snapshot):
    wrong = [wish(snapshot, key=uuid.uuid4(), name=name) for name in ("no*stars", "ok-1", "x")]

    with pytest.raises(ManyRefused) as caught:
        request_registrations(wrong, by=None)

    assert caught.value.problems.keys() == {0, 2}


def test_two_of_one_name_are_refused_together(snapshot):
    with pytest.raises(ManyRefused) as caught:
        request_registrations([wish(snapshot), wish(snapshot, key=OTHER)], by=None)

    assert caught.value.problems.keys() == {1}


def test_in_one_account_without_the_permission_all_are_kept_back(wishes):
    with pytest.raises(PermissionDenied):
        request_registrations(wishes, by=make_user(Role.FINOPS))

    assert not Run.objects.exists()


def test_the_same_wishes_twice_are_the_same_requests(wishes):
    first = request_registrations(wishes, by=None, batch=KEY)

    assert request_registrations(wishes, by=None, batch=KEY) == first
    assert Run.objects.count() == 2


def test_of_wishes_that_are_known_only_the_new_are_asked_for(snapshot, wishes):
    request_registrations(wishes[:1], by=None)

    found = request_registrations(wishes, by=None)

    assert [row.name for row in found] == ["golden", "silver"]
    assert Run.objects.count() == 2


@pytest.mark.parametrize("is_trial", [True, False])
def test_a_trial_is_marked_as_one(wishes, is_trial):
    request_registrations(wishes, by=None, is_trial=is_trial)

    assert set(Run.objects.values_list("is_trial", flat=True)) == {is_trial}


def test_the_policy_is_written_down_with_each(wishes):
    (registration, _) = request_registrations(wishes, by=make_user(Role.DEVELOPER))

    assert registration.run.approvals_needed == 1
    assert registration.run.policy == "Developers ask when a code is at risk"
    assert texts(registration)[-1] == (
        "One other person must approve. Policy: Developers ask when a code is at risk."
    )


@pytest.mark.django_db(transaction=True)
def test_the_same_wishes_at_the_same_moment_are_asked_for_once(wishes):
    together = threading.Barrier(2)

    def ask_with_the_other(_):
        first = iter([True])

        def wait_for_the_other(execute, sql, params, many, context):
            if str(sql).startswith('INSERT INTO "registry_run"') and next(first, False):
                together.wait(10)
            return execute(sql, params, many, context)

        try:
            with connection.execute_wrapper(wait_for_the_other):
                return [row.pk for row in request_registrations(wishes, by=None, batch=KEY)]
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(ask_with_the_other, range(2)))

    keys = list(Registration.objects.order_by("pk").values_list("pk", flat=True))
    assert found == [keys, keys]
    assert Run.objects.count() == 2
