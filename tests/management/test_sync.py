from io import StringIO

import django_rq
import pytest
from django.core.management import CommandError, call_command

from registry.models import Image, Run, RunState, Scope
from tests.data.items import image_item, put
from tests.factories import make_account, make_scope

pytestmark = pytest.mark.django_db


def sync(**options):
    out, err = StringIO(), StringIO()
    call_command("sync", stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


def test_every_scope_is_asked_for(scope, django_capture_on_commit_callbacks):
    other = make_scope()

    with django_capture_on_commit_callbacks(execute=True):
        out, _ = sync()

    first, second = Run.objects.order_by("pk")
    assert out == f"{scope}: {first.ref} queued\n{other}: {second.ref} queued\n"
    assert len(django_rq.get_queue("sync").job_ids) == 2


@pytest.mark.parametrize(
    "options", [{"account": "999999999999"}, {"region": "eu-west-1"}], ids=["account", "region"]
)
def test_only_what_is_named_is_asked_for(scope, options):
    make_scope(region="us-east-1")

    sync(**options)

    assert Run.objects.get().scope == scope


def test_here_and_now_aws_is_read(aws, scope):
    put(aws, image_item())

    out, _ = sync(now=True)

    assert out == f"{scope}: 1 objects, 1 changed\n"
    assert Image.objects.count() == 1
    assert Scope.objects.get().synced_at is not None


def test_a_scope_that_fails_is_told_and_the_next_is_read(aws, scope):
    make_scope(account=scope.account, region="us-east-1")
    put(aws, image_item(), region="us-east-1")
    aws.fail("DescribeSnapshots", "access-denied", region="eu-west-1")
    out, err = StringIO(), StringIO()

    with pytest.raises(CommandError, match="1 of 2 scopes could not be read"):
        call_command("sync", now=True, stdout=out, stderr=err)

    assert err.getvalue().startswith(f"{scope}: DescribeSnapshots: UnauthorizedOperation")
    assert "us-east-1: 1 objects" in out.getvalue()
    assert Scope.objects.failing().get() == scope


def test_what_a_worker_is_at_already_is_no_failure(scope):
    sync()
    run = Run.objects.get()
    Run.objects.filter(pk=run.pk).update(state=RunState.RUNNING)

    out, _ = sync(now=True)

    assert out == f"{scope}: {run.ref} is under way in a worker\n"


@pytest.mark.parametrize(
    "options",
    [{"account": "000000000000"}, {"region": "ap-south-1"}],
    ids=["no such account", "no such region"],
)
def test_a_scope_that_is_not_there_is_told(scope, options):
    with pytest.raises(CommandError, match="no such scope"):
        sync(**options)


def test_what_is_disabled_or_only_imported_is_not_asked_for(db):
    make_scope(is_enabled=False)
    make_scope(account=make_account(is_synced=False))

    with pytest.raises(CommandError, match="no such scope"):
        sync()
