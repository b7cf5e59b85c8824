"""What a registration will probably come to, before AWS is asked."""

from registry.audit import prospect
from registry.billing.prediction import KEPT, Prediction, predict
from registry.billing.prospect import Prospect
from registry.models import Registration
from registry.registration.origin import source_of


def forecast(registration: Registration) -> Prediction:
    """Return the probable billing code and the way that is recommended, from the mirror."""
    return predict(prospect_of(registration))


def prospect_of(registration: Registration) -> Prospect:
    """Return what the mirror knows of what a registration is made of."""
    expected = registration.expected_usage_operation
    return prospect(**source_of(registration), expected=expected)


def must_explain(registration: Registration, prediction: Prediction) -> str:
    """Return why a reason is needed to go on; "" where none is, or one was given."""
    if not prediction.must_explain or registration.reason.strip():
        return ""
    return f"{prediction.advice} To go on without it, say why."


def is_risky(prediction: Prediction) -> bool:
    """Say whether the code may be lost: probably, for all anybody knows, or without a proof."""
    return prediction.outcome != KEPT or prediction.must_explain
