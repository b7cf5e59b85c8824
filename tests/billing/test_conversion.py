import pytest

from registry.billing.codes import RHEL, RHEL_BYOL, SUSE, WINDOWS, WINDOWS_BYOL
from registry.billing.conversion import is_convertible, is_listed

SOLD_BY_RED_HAT = "6cd5fxzrad0cu2j23p692xytz"


@pytest.mark.parametrize(
    ("before", "after", "products", "is_so"),
    [
        ([], [RHEL], [], False),
        ([], [RHEL], ["another"], False),
        ([], [RHEL], ["another", SOLD_BY_RED_HAT], True),
        ([RHEL_BYOL], [RHEL], [], True),
        ([WINDOWS], [WINDOWS_BYOL], [], True),
        ([], [SUSE], [SOLD_BY_RED_HAT], False),
    ],
)
def test_plain_linux_becomes_rhel_only_where_red_hat_sold_it(before, after, products, is_so):
    assert is_listed(frozenset(before), frozenset(after), products) is is_so


@pytest.mark.parametrize(
    ("code", "target", "is_so"),
    [
        ("RunInstances:00g0", "RunInstances:0010", True),
        ("RunInstances", "RunInstances:0010", False),
        ("", "RunInstances:0010", False),
        (None, "RunInstances:0010", False),
        ("RunInstances:0010", "no code", False),
    ],
)
def test_what_is_lost_or_not_known_is_not_converted(code, target, is_so):
    assert is_convertible(code, target) is is_so
