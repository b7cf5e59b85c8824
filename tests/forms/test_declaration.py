import pytest

from registry.billing.codes import TABLE
from registry.forms.declaration import DeclarationForm


@pytest.mark.parametrize("code", ["", *(row.usage_operation for row in TABLE)])
def test_a_code_of_the_reference_or_nothing_is_declared(code):
    form = DeclarationForm({"code": code, "reason": "It was bought so."})

    assert form.is_valid()
    assert form.cleaned_data == {"code": code, "reason": "It was bought so."}


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        pytest.param({"code": "RunInstances:zzzz"}, "code", id="no code"),
        pytest.param({"code": "\0"}, "code", id="NUL for a code"),
        pytest.param({"reason": ""}, "reason", id="no reason"),
        pytest.param({"reason": "   "}, "reason", id="an empty reason"),
        pytest.param({"reason": "so\0"}, "reason", id="NUL in the reason"),
        pytest.param({"reason": "x" * 501}, "reason", id="a reason too long"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(fields, name):
    form = DeclarationForm({"code": "RunInstances", "reason": "So."} | fields)

    assert list(form.errors) == [name]
