"""Requests that are not saved, as `check` gets them."""

from collections.abc import Mapping
from typing import Any

import pytest

from registry.models import Registration
from registry.registration import Refused, check

KEY = "11111111-2222-4333-8444-555555555555"
SNAPSHOT_ID = "snap-0123456789abcdef0"


def wanted(**fields: Any) -> Registration:
    """Return a request for an image of a snapshot, billed as Red Hat."""
    return Registration(
        **{
            "key": KEY,
            "region": "eu-west-1",
            "snapshot_id": SNAPSHOT_ID,
            "name": "golden",
            "expected_usage_operation": "RunInstances:0010",
        }
        | fields
    )


def problems(registration: Registration) -> Mapping[str, str]:
    """Return what is wrong with a request, by field."""
    with pytest.raises(Refused) as caught:
        check(registration)
    return caught.value.problems
