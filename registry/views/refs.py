"""References as people read them: F-1042, J-2291, R-0023."""


def key_of(ref: str, letter: str) -> int:
    """Return the primary key that a reference names; 0, which no row has, where it names none."""
    number = ref.removeprefix(f"{letter}-")
    return int(number) if number.isascii() and number.isdecimal() else 0
