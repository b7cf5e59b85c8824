import pytest

from registry.jobs.audits import (
    request_audit,
    request_verification,
    run_audit,
    run_verification,
)
from registry.models import Finding, Grant, Image, Role, Run, RunKind, RunState
from tests.conftest import BASE_ACCOUNT
from tests.factories import NOON, make_image, make_run, make_scope, make_user
from tests.registration.simulated import put_image

pytestmark = pytest.mark.django_db
RHEL = "RunInstances:0010"


def test_an_audit_judges_what_has_changed_unless_everything_is_asked_for():
    make_image()
    run_audit(request_audit(by=None, is_full=True).pk)
    assert Run.objects.latest("pk").result["images"] == 1

    run_audit(request_audit(by=None).pk)

    assert Run.objects.latest("pk").result["images"] == 0


def test_one_audit_waits_at_most():
    assert request_audit(by=None) == request_audit(by=make_user(Role.FINOPS))


def test_an_audit_is_asked_for_while_another_is_at_work():
    first = request_audit(by=None)
    Run.objects.claim(first.pk, at=NOON)

    assert request_audit(by=None) != first


def test_an_audit_judges_everything_and_says_how_much():
    make_image()
    image = make_image(declared=RHEL)
    run = request_audit(by=None)

    run_audit(run.pk)

    run.refresh_from_db()
    image.refresh_from_db()
    assert image.verdict == "lost"
    assert run.result == {"images": 2, "findings": 1}
    assert run.note == "2 images judged, 1 findings open"


def test_an_audit_asks_for_the_permission_again():
    user = make_user(Role.FINOPS)
    run = request_audit(by=user)
    Grant.objects.all().delete()

    with pytest.raises(PermissionError):
        run_audit(run.pk)

    run.refresh_from_db()
    assert run.error == f"{user} may not audit."


def test_images_are_verified_again_in_one_run_for_each_scope():
    here, there = make_scope(), make_scope(region="us-east-1")
    images = [
        make_image(account=here.account),
        make_image(account=here.account),
        make_image(account=there.account, region="us-east-1"),
    ]

    runs = request_verification(images, by=make_user(Role.DEVELOPER))

    assert {run.scope: list(run.images.order_by("pk")) for run in runs} == {
        here: images[:2],
        there: images[2:],
    }
    assert {run.kind for run in runs} == {RunKind.VERIFY}


def test_images_that_somebody_may_not_verify_are_left_out():
    own, other = make_scope(), make_scope()
    images = [make_image(account=own.account), make_image(account=other.account)]

    [run] = request_verification(images, by=make_user(Role.DEVELOPER, account=own.account))

    assert list(run.images.all()) == images[:1]


def test_a_viewer_verifies_nothing():
    image = make_image(account=make_scope().account)

    assert request_verification([image], by=make_user(Role.VIEWER)) == []


@pytest.mark.parametrize("number", [1, 25])
def test_many_images_take_no_more_queries(number, django_assert_num_queries):
    scope, user = make_scope(), make_user(Role.DEVELOPER)
    images = [make_image(account=scope.account) for _ in range(number)]
    rows = Image.objects.filter(pk__in=[image.pk for image in images])

    with django_assert_num_queries(9):
        request_verification(rows, by=user)


def test_a_verification_reads_its_images_and_no_others(aws, scope):
    mine = Image.objects.create(**row(scope, put_image(aws, name="mine", UsageOperation=RHEL)))
    other = Image.objects.create(**row(scope, put_image(aws, name="other", UsageOperation=RHEL)))
    [run] = request_verification([mine], by=make_user(Role.DEVELOPER))

    run_verification(run.pk)

    run.refresh_from_db()
    mine.refresh_from_db()
    other.refresh_from_db()
    assert run.note == "1 of 1 images read again"
    assert (mine.usage_operation, other.usage_operation) == (RHEL, "RunInstances")


def test_a_verification_settles_the_findings(aws, scope):
    image_id = put_image(aws, UsageOperation="RunInstances", PlatformDetails="Linux/UNIX")
    image = Image.objects.create(**row(scope, image_id, declared=RHEL))
    [run] = request_verification([image], by=make_user(Role.DEVELOPER))

    run_verification(run.pk)

    image.refresh_from_db()
    assert image.verdict == "lost"
    assert Finding.objects.open().get().image == image


def test_a_verification_leaves_an_image_that_aws_does_not_show_to_the_sync(aws, scope):
    image = make_image(account=scope.account)
    [run] = request_verification([image], by=make_user(Role.DEVELOPER))

    run_verification(run.pk)

    run.refresh_from_db()
    image.refresh_from_db()
    assert run.note == "0 of 1 images read again"
    assert image.gone_at is None


def test_a_verification_asks_for_the_permission_again(aws, scope):
    user = make_user(Role.DEVELOPER)
    [run] = request_verification([make_image(account=scope.account)], by=user)
    Grant.objects.all().delete()

    with pytest.raises(PermissionError):
        run_verification(run.pk)

    run.refresh_from_db()
    assert run.error == f"{user} may not verify in {scope}."
    assert aws.calls == []


def test_a_recording_is_not_verified_with_our_own_credentials(aws, scope):
    [run] = request_verification([make_image(account=scope.account)], by=make_user(Role.DEVELOPER))
    scope.account.is_synced = False
    scope.account.save()

    with pytest.raises(PermissionError, match="only known from a recording"):
        run_verification(run.pk)

    assert aws.calls == []


def test_a_denied_reading_fails_and_leaves_the_judgment(aws, scope):
    image = make_image(account=scope.account, verdict="ok")
    [run] = request_verification([image], by=make_user(Role.DEVELOPER))
    aws.fail("DescribeImages", "access-denied")

    with pytest.raises(Exception, match="UnauthorizedOperation"):
        run_verification(run.pk)

    run.refresh_from_db()
    image.refresh_from_db()
    assert run.state == RunState.FAILED
    assert image.verdict == "ok"


def test_a_verification_is_carried_out_once(aws, scope):
    run = make_run(kind=RunKind.VERIFY, scope=scope, state=RunState.SUCCEEDED, finished_at=NOON)

    run_verification(run.pk)

    assert aws.calls == []


def row(scope, image_id, **fields):
    """Return the columns of an image as it was mirrored before."""
    return {
        "account": scope.account,
        "region": scope.region,
        "aws_id": image_id,
        "owner_id": BASE_ACCOUNT,
        "usage_operation": "RunInstances",
        "first_seen_at": NOON,
        "last_seen_at": NOON,
    } | fields
