import pytest

from registry.billing.circle import Circle, CircleKey, Lot, Place, Stock
from registry.billing.pool import Pool
from registry.billing.sharing import Sharing
from tests.billing.fleets import LINUX_RI, ONE, OTHER, bought, zonal

KEY = CircleKey(ONE, "us-east-1", LINUX_RI, "default", "m5")
LARGE, XLARGE = Place("m5.large", "use1-az1"), Place("m5.xlarge", "use1-az1")


def circle(*purchases, lots=(), alone=()):
    found = Circle(KEY, Sharing(alone=frozenset(alone)))
    for purchase in purchases:
        found.buy(Pool(purchase), purchase.zone_id)
    for lot, number in lots:
        found.run(lot, tuple(f"i-{lot.account}-{each}" for each in range(number)))
    return found


def paid(found):
    return [(take.units, take.users.account, take.place) for take in found.settle()]


def test_zonal_comes_before_regional_and_ones_own_before_that_of_others():
    found = circle(
        bought("m5.large"),
        zonal("m5.large", 2),
        lots=[(Lot(ONE, LARGE), 1), (Lot(OTHER, LARGE), 1), (Lot(ONE, XLARGE), 1)],
    )

    assert paid(found) == [(16, ONE, LARGE), (16, OTHER, LARGE), (16, ONE, None)]


def test_what_is_left_of_regional_ones_goes_to_all_that_share():
    lots = [(Lot(OTHER, LARGE), 1)]

    assert paid(circle(bought("m5.large", 2), lots=lots)) == [(16, "", None)]
    assert paid(circle(bought("m5.large", 2), lots=lots, alone=[ONE])) == []
    assert paid(circle(bought("m5.large", 2), lots=lots, alone=[OTHER])) == []


def test_a_zone_that_is_not_known_is_paid_by_regional_ones_alone():
    place = Place("m5.large", "")

    assert paid(circle(zonal("m5.large", zone_id=""), lots=[(Lot(ONE, place), 1)])) == []
    assert paid(circle(bought("m5.large"), lots=[(Lot(ONE, place), 1)])) == [(16, ONE, None)]


def test_changes_leave_the_circle_as_it_is():
    before = circle(zonal("m5.large", 2), bought("m5.large"), lots=[(Lot(ONE, LARGE), 1)])
    settled = paid(before)

    after = before.with_changes({Lot(ONE, LARGE): 1, Lot(OTHER, XLARGE): 1})

    assert paid(after) == [(32, ONE, LARGE), (16, "", None)]
    assert paid(before) == settled == [(16, ONE, LARGE)]
    assert paid(after.with_changes({Lot(ONE, LARGE): -1, Lot(OTHER, XLARGE): -1})) == settled


@pytest.mark.parametrize(
    ("before", "after", "units"),
    [
        (0, 0, []),
        (0, 16, [("ri-a", 16)]),
        (8, 40, [("ri-a", 8), ("ri-b", 24)]),
        (40, 8, [("ri-a", -8), ("ri-b", -24)]),
        (16, 48, [("ri-b", 32)]),
    ],
)
def test_the_units_between_two_amounts_belong_to_purchases_in_order(before, after, units):
    stock = Stock()
    stock.add(Pool(bought("m5.large", 1, aws_id="ri-a")))
    stock.add(Pool(bought("m5.large", 2, aws_id="ri-b")))

    found = [(pool.purchase.aws_id, number) for pool, number in stock.between(before, after)]

    assert found == units


@pytest.mark.parametrize(
    ("wanted", "other", "compares"),
    [
        pytest.param("use1-az1", "use1-az2", True, id="two ids"),
        pytest.param("use1-az1", "1 us-east-1a", False, id="an id and a name"),
        pytest.param("1 us-east-1a", "1 us-east-1b", True, id="names in one account"),
        pytest.param("1 us-east-1a", "2 us-east-1a", False, id="names in two accounts"),
        pytest.param("", "use1-az1", False, id="none wanted is known"),
        pytest.param("use1-az1", "", False, id="none is known"),
    ],
)
def test_zones_compare_by_ids_or_by_names_in_one_account(wanted, other, compares):
    assert Place("m5.large", wanted).compares(Place("m5.large", other)) is compares
