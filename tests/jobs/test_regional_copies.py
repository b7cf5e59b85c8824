"""One request for copies in several regions: each image has a verdict of its own."""

from uuid import uuid4

import pytest

from registry.jobs.registrations import request_registrations
from registry.models import Method, RunState, Scope
from registry.registration import Wish
from tests.jobs.steps import carry_out, step
from tests.registration.simulated import RHEL, images_named
from tests.registration.sources import FIELDS, mirror_sources, put_sources

REGIONS = ("eu-west-1", "eu-central-1")
pytestmark = pytest.mark.django_db


@pytest.fixture
def copies(aws, scope):
    """Two copies of one image, asked for together, in two regions."""
    put_sources(aws)
    mirror_sources(scope.account)
    Scope.objects.create(account=scope.account, region="eu-central-1")
    aws.state.pending_seconds = 60
    fields = {"name": "golden", "expected_usage_operation": RHEL, **FIELDS[Method.COPY]}
    wishes = [Wish(uuid4(), scope.account, {"region": region, **fields}) for region in REGIONS]
    return request_registrations(wishes, by=None, batch=uuid4())


def image_in(aws, region):
    [found] = [image for image in images_named(aws, "golden") if image["_region"] == region]
    return found


def ends(aws, copies):
    runs = [carry_out(aws, copy) for copy in copies]
    return [(run.state, copy.verdict) for run, copy in zip(runs, copies, strict=True)]


def test_each_copy_is_verified_in_its_own_region(aws, copies):
    found = ends(aws, copies)

    assert found == [(RunState.SUCCEEDED, "ok")] * 2
    assert [copy.image_id for copy in copies] == [
        image_in(aws, region)["ImageId"] for region in REGIONS
    ]


def test_a_copy_that_aws_can_not_make_leaves_the_other_alone(aws, copies):
    aws.fail("CopyImage", "image-fails", region="eu-central-1", times=None)

    found = ends(aws, copies)

    assert found == [(RunState.SUCCEEDED, "ok"), (RunState.FAILED, "")]
    assert "An internal error has occurred" in copies[1].run.error


def test_a_copy_that_is_denied_leaves_the_other_alone(aws, copies):
    aws.fail("CopyImage", "access-denied", region="eu-west-1", times=None)

    found = ends(aws, copies)

    assert found == [(RunState.FAILED, ""), (RunState.SUCCEEDED, "ok")]
    assert "Allow ec2:CopyImage" in copies[0].run.error


def test_a_copy_that_lost_its_code_says_so_for_itself(aws, copies):
    for copy in copies:
        step(copy)
    image_in(aws, "eu-central-1").update(UsageOperation="RunInstances", PlatformDetails="Linux")

    found = ends(aws, copies)

    assert found == [(RunState.SUCCEEDED, "ok"), (RunState.SUCCEEDED, "lost")]
    assert copies[0].run.result["advice"] == []
    assert "Discard this AMI" in copies[1].run.result["advice"][-1]
