import pytest

from registry.jobs.reports import request_report, run_report
from registry.models import Grant, Report, Role, Run, RunKind, RunState
from tests.factories import make_finding, make_user

pytestmark = pytest.mark.django_db


def test_a_report_is_asked_for_before_it_is_made():
    user = make_user(Role.VIEWER)

    report = request_report(by=user)

    assert report.created_at is None
    assert (report.run.kind, report.run.requested_by) == (RunKind.REPORT, user)
    assert not Report.objects.ready().exists()


def test_two_requests_are_two_reports():
    assert request_report(by=None) != request_report(by=None)


def test_a_worker_makes_the_report():
    make_finding()
    report = request_report(by=None)

    run_report(report.run_id)

    report.refresh_from_db()
    assert report.result["totals"]["open_findings"] == 1
    assert report.run.state == RunState.SUCCEEDED
    assert report.run.note == "1 findings open"


def test_a_worker_that_died_after_it_made_the_report_changes_nothing():
    report = request_report(by=None)
    run_report(report.run_id)
    made = Report.objects.get(pk=report.pk).created_at
    Run.objects.update(state=RunState.QUEUED, finished_at=None)

    run_report(report.run_id)

    report.refresh_from_db()
    assert report.created_at == made
    assert report.run.state == RunState.SUCCEEDED


def test_a_report_asks_for_the_permission_again():
    user = make_user(Role.VIEWER)
    report = request_report(by=user)
    Grant.objects.all().delete()

    with pytest.raises(PermissionError):
        run_report(report.run_id)

    report.refresh_from_db()
    assert report.created_at is None
    assert report.run.error == f"{user} may not make reports."
