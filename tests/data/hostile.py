"""What no AWS would say."""

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from tests.data.items import Item

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
Path = tuple[str | int, ...]


def spots(value: Any, path: Path = ()) -> Iterator[Path]:
    """Return the way to everything inside a value."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        yield (*path, key)
        if isinstance(inner, dict | list):
            yield from spots(inner, (*path, key))


@st.composite
def mangled(draw: st.DrawFn, item: Item) -> Item:
    """Return an item of which one thing, at any depth, is something else."""
    whole = copy.deepcopy(item)
    *way, last = draw(st.sampled_from(list(spots(whole))))
    inner: Any = whole
    for key in way:
        inner = inner[key]
    inner[last] = draw(JSON)
    return whole
