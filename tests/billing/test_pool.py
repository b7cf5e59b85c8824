from fractions import Fraction

import pytest

from registry.billing.pool import Pool
from tests.billing.fleets import RHEL_RI, bought, zonal


@pytest.mark.parametrize(
    ("purchase", "is_regional", "is_flexible", "unit", "left"),
    [
        pytest.param(bought("m5.xlarge", 3), True, True, 8, 24, id="flexible, in units"),
        pytest.param(bought("t3.nano", 2), True, True, Fraction(1, 4), Fraction(1, 2), id="small"),
        pytest.param(bought("m5.xlarge", 3, platform=RHEL_RI), True, False, 1, 3, id="RHEL"),
        pytest.param(zonal("m5.xlarge", 3), False, False, 1, 3, id="zonal"),
        pytest.param(bought("m5.xlarge", 3, scope=""), False, False, 1, 3, id="no scope recorded"),
        pytest.param(bought("m5.huge", 2), True, False, 1, 2, id="a size without a factor"),
        pytest.param(
            bought("m5.large", platform="Linux/UNIX (Amazon VPC)"), True, True, 4, 4, id="in a VPC"
        ),
    ],
)
def test_what_a_purchase_can_pay_for(purchase, is_regional, is_flexible, unit, left):
    pool = Pool(purchase)

    assert (pool.is_regional, pool.is_flexible) == (is_regional, is_flexible)
    assert [pool.unit, pool.left, pool.used] == [unit, left, 0]


def test_what_is_used_is_counted_in_its_own_type():
    pool = Pool(bought("m5.xlarge", 3))

    pool.left -= 4

    assert pool.used == Fraction(1, 2)
