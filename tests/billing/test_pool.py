import pytest

from registry.billing.pool import Pool
from tests.billing.fleets import RHEL_RI, bought, zonal


@pytest.mark.parametrize(
    ("purchase", "is_regional", "is_flexible", "unit", "units"),
    [
        pytest.param(bought("m5.xlarge", 3), True, True, 32, 96, id="flexible, in quarters"),
        pytest.param(bought("t3.nano", 2), True, True, 1, 2, id="the smallest"),
        pytest.param(bought("m5.xlarge", 3, platform=RHEL_RI), True, False, 1, 3, id="RHEL"),
        pytest.param(zonal("m5.xlarge", 3), False, False, 32, 96, id="zonal"),
        pytest.param(
            bought("m5.xlarge", 3, scope=""), False, False, 32, 96, id="no scope recorded"
        ),
        pytest.param(bought("m5.huge", 2), True, False, 1, 2, id="a size without a factor"),
        pytest.param(
            bought("m5.large", platform="Linux/UNIX (Amazon VPC)"),
            True,
            True,
            16,
            16,
            id="in a VPC",
        ),
    ],
)
def test_what_a_purchase_can_pay_for(purchase, is_regional, is_flexible, unit, units):
    pool = Pool(purchase)

    assert (pool.is_regional, pool.is_flexible) == (is_regional, is_flexible)
    assert (pool.unit, pool.units) == (unit, units)
