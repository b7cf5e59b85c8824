"""What the last audit said of a purchase, as a spreadsheet reads it."""

from fractions import Fraction

from django.db.models import CharField, F, Func


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
