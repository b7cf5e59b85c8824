"""What the last audit said of a purchase, as a spreadsheet reads it."""

from fractions import Fraction

from django.db.models import CharField, F, FloatField, Func, Value
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Cast, Coalesce, NullIf


def number_of(field: str) -> CombinedExpression:
    """Return an exact fraction as a number: 1.5 for "3/2", which a spreadsheet takes for a day."""
    return _part(field, 1) / Coalesce(_part(field, 2), Value(1.0))


def causes_of(field: str) -> Func:
    """Return the codes of the causes, the most telling first."""
    return Func(
        F(field),
        template=(
            "(SELECT string_agg(cause->>'code', ', ' ORDER BY place) FROM "
            "jsonb_array_elements(%(expressions)s) WITH ORDINALITY AS causes(cause, place))"
        ),
        output_field=CharField(),
    )


def number(units: Fraction | None) -> float | None:
    return None if units is None else float(units)


def _part(field: str, number: int) -> Cast:
    text = Func(
        F(field), Value("/"), Value(number), function="SPLIT_PART", output_field=CharField()
    )
    return Cast(NullIf(text, Value("")), FloatField())
