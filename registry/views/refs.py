"""References as people read them: F-1042, J-2291, R-0023."""

_LONGEST = 19  # digits of the largest primary key


def key_of(ref: str, letter: str) -> int:
    """Return the primary key that a reference names; 0, which no row has, where it names none."""
    number = ref.removeprefix(f"{letter}-")
    is_key = number.isascii() and number.isdecimal() and len(number) < _LONGEST
    return int(number) if is_key else 0
