"""Programs that speak to the API."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from registry.models import Role
from tests.factories import make_snapshot, make_token, make_user
from tests.registration.simulated import RHEL, SNAPSHOT_ID, put_snapshot


@dataclass
class Program:
    """Asks with one token, without cookies; `user` is whose it is."""

    secret: str
    user: Any

    def get(self, path: str, **query: Any) -> Any:
        return Client().get(f"/api/v1{path}", query, headers=self._headers())

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return Client().post(
            f"/api/v1{path}",
            body if isinstance(body, str | bytes) else body or {},
            content_type="application/json",
            headers={**self._headers(), **headers},
        )

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secret}"}


def program_of(user: Any) -> Program:
    _, secret = make_token(user=user)
    return Program(secret, user)


@pytest.fixture
def program(db: None) -> Program:
    """A program with the rights of an engineer of every account."""
    return program_of(make_user(Role.ENGINEER, username="erin"))


@pytest.fixture
def another(db: None) -> Callable[..., Program]:
    """Make the program of another person."""
    return lambda role=Role.ENGINEER, **fields: program_of(make_user(role, **fields))


@pytest.fixture
def snapshot(aws, scope):
    """A snapshot that keeps its code, in AWS and in the mirror."""
    put_snapshot(aws)
    return make_snapshot(aws_id=SNAPSHOT_ID, account=scope.account, region=scope.region)


@pytest.fixture
def wish(snapshot):
    """A wish that can be fulfilled, as a program sends it."""
    return {
        "account": snapshot.account.number,
        "region": snapshot.region,
        "snapshot_id": snapshot.aws_id,
        "name": "golden",
        "expected_usage_operation": RHEL,
        "reason": "There is no instance any more.",
    }
