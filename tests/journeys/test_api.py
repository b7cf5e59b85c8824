"""A pipeline makes an image, and discards one, by nothing but the API; with real workers."""

import json
import uuid
from typing import Any
from urllib.request import Request, urlopen

import pytest

from registry.models import Policy, Role
from tests.factories import make_snapshot, make_token, make_user
from tests.journeys.workers import Workers, wait_until
from tests.registration.simulated import RHEL, SNAPSHOT_ID, images_named, put_snapshot
from tests.removal.simulated import put_image

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def workers(transactional_db):
    started = Workers()
    yield started
    started.end()


class Program:
    """Speaks HTTP with the server of the test, with a token and nothing else."""

    def __init__(self, server: Any, **fields: Any) -> None:
        self._url = f"{server.url}/api/v1"
        self._secret = make_token(user=make_user(**fields))[1]

    def get(self, path: str) -> Any:
        return self._send(Request(self._url + path))  # noqa: S310

    def post(self, path: str, **body: Any) -> Any:
        return self._send(Request(self._url + path, json.dumps(body).encode()))  # noqa: S310

    def _send(self, request: Request) -> Any:
        request.add_header("Authorization", f"Bearer {self._secret}")
        request.add_header("Content-Type", "application/json")
        with urlopen(request) as answer:  # noqa: S310
            return json.load(answer)


def test_a_pipeline_makes_an_image(live_server, aws, scope, workers):
    put_snapshot(aws)
    make_snapshot(aws_id=SNAPSHOT_ID, account=scope.account, region=scope.region)
    Policy.objects.create(name="One for all", approvals=1)
    pipeline = Program(live_server, role=Role.ENGINEER, username="pipeline")
    finn = Program(live_server, role=Role.FINOPS, username="finn")
    wish = {
        "key": str(uuid.uuid4()),
        "account": scope.account.number,
        "region": scope.region,
        "snapshot_id": SNAPSHOT_ID,
        "name": "golden",
        "expected_usage_operation": RHEL,
        "reason": "There is no instance any more.",
    }

    def now_is(state: str) -> bool:
        return bool(pipeline.get(f"/registrations/{wish['key']}")["state"] == state)

    checked = pipeline.post("/registrations/check", **wish)
    pipeline.post("/registrations", **wish)
    workers.start("register")
    workers.start_clock()
    wait_until(lambda: now_is("held"), "AWS's own check")
    finn.post(f"/registrations/{wish['key']}/approve", reason="It is needed.")
    wait_until(lambda: now_is("succeeded"), "the image")
    pipeline.post("/registrations", **wish)

    found = pipeline.get(f"/registrations/{wish['key']}")
    (image,) = images_named(aws, "golden")
    assert (checked["problems"], checked["ruling"]["approvals"]) == ({}, 1)
    assert (found["image_id"], found["verdict"]) == (image["ImageId"], "ok")
    assert found["approvals"]["given"] == ["finn"]
    assert pipeline.get(f"/images/{image['ImageId']}")["verdict"] == "ok"


def test_a_pipeline_discards_an_image(live_server, aws, scope, workers):
    image = put_image(aws, scope)
    pipeline = Program(live_server, role=Role.ENGINEER, username="pipeline")
    preview = pipeline.post("/removals/check", images=[image.aws_id])

    key = pipeline.post("/removals", images=[image.aws_id], reason="It is old.")["key"]
    workers.start("register")
    workers.start_clock()
    wait_until(lambda: pipeline.get(f"/removals/{key}")["state"] == "succeeded", "the removal")

    (item,) = pipeline.get(f"/removals/{key}")["items"]
    assert [call.split()[2] for call in preview["calls"]] == ["disable-image", "deregister-image"]
    assert item["state"] == "deregistered"
    assert pipeline.get("/images")["count"] == 0
