"""References as people read them: F-1042, J-2291, R-0023."""

from django.db.models import CharField, Value
from django.db.models.functions import Cast, Concat, Greatest, Length, LPad

_DIGITS = 4
_LONGEST = 19  # digits of the largest primary key


def key_of(ref: str, letter: str) -> int:
    """Return the primary key that a reference names; 0, which no row has, where it names none."""
    number = ref.removeprefix(f"{letter}-")
    is_key = number.isascii() and number.isdecimal() and len(number) < _LONGEST
    return int(number) if is_key else 0


def ref_of(letter: str) -> Concat:
    """Return the reference of a row as the database writes it, for an export."""
    digits = Cast("pk", CharField())
    padded = LPad(digits, Greatest(Length(digits), Value(_DIGITS)), Value("0"))
    return Concat(Value(f"{letter}-"), padded, output_field=CharField())
