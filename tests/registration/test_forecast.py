from dataclasses import replace

import pytest

from registry.billing.prediction import Prediction
from registry.models import Registration
from registry.registration.forecast import is_risky, must_explain

SURE = Prediction(
    outcome="kept",
    usage_operation="RunInstances:0010",
    confidence="strong",
    reasons=(),
    advice="Use CreateImage from i-1.",
    api="RegisterImage",
    instance_id="",
    must_explain=False,
)


@pytest.mark.parametrize(
    ("prediction", "expected"),
    [
        pytest.param(SURE, False, id="proved"),
        pytest.param(replace(SURE, must_explain=True), True, id="without a proof"),
        pytest.param(replace(SURE, outcome="unknown"), True, id="nobody knows"),
        pytest.param(replace(SURE, outcome="lost"), True, id="lost"),
    ],
)
def test_what_may_lose_its_code_is_risky(prediction, expected):
    assert is_risky(prediction) is expected


@pytest.mark.parametrize(
    ("reason", "is_needed", "expected"),
    [
        pytest.param("", True, "Use CreateImage from i-1. To go on without it, say why.", id="no"),
        pytest.param("  ", True, "Use CreateImage from i-1. To go on without it, say why.", id="_"),
        pytest.param("Because.", True, "", id="a reason was given"),
        pytest.param("", False, "", id="none is needed"),
    ],
)
def test_who_goes_on_without_the_recommended_way_says_why(reason, is_needed, expected):
    found = must_explain(Registration(reason=reason), replace(SURE, must_explain=is_needed))

    assert found == expected
