import gc

import pytest

from registry.billing.collector import no_collector


def slip():
    with no_collector(), no_collector():
        assert not gc.isenabled()
        raise ValueError("a slip")


@pytest.mark.parametrize("is_enabled", [True, False])
def test_the_collector_is_afterwards_as_it_was_before(is_enabled):
    was_enabled = gc.isenabled()
    try:
        (gc.enable if is_enabled else gc.disable)()
        with pytest.raises(ValueError, match="a slip"):
            slip()
        assert gc.isenabled() is is_enabled
    finally:
        (gc.enable if was_enabled else gc.disable)()
