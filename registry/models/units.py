"""Exact fractions, kept as text ("3/2"), as the database reckons with them."""

from django.db.models import CharField, F, FloatField, Func, Value
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Cast, Coalesce, NullIf


def number_of(field: str) -> CombinedExpression:
    """Return an exact fraction as a number: 1.5 for "3/2", which a spreadsheet takes for a day."""
    return _part(field, 1) / Coalesce(_part(field, 2), Value(1.0))


def _part(field: str, number: int) -> Cast:
    text = Func(
        F(field), Value("/"), Value(number), function="SPLIT_PART", output_field=CharField()
    )
    return Cast(NullIf(text, Value("")), FloatField())
