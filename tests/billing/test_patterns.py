import pytest

from registry.billing.codes import is_published
from registry.billing.patterns import NOT_A_LICENCE, RED_HAT_MARKETPLACE, VENDOR_NAMES


def test_a_vendor_is_expected_to_use_published_codes():
    assert {
        row.usage_operation for row in VENDOR_NAMES if not is_published(row.usage_operation)
    } == (set())


def test_an_owner_is_an_account():
    owners = {owner for row in VENDOR_NAMES for owner in row.owners}

    assert {owner for owner in owners if len(owner) != 12 or not owner.isdecimal()} == set()


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("6cd5fxzrad0cu2j23p692xytz", id="RHEL for AWS, North America and global"),
        pytest.param("6t1yup6mik9ng3ge36n33xqhw", id="RHEL for AWS, EMEA"),
        pytest.param("du6111oq9lwrc996awt04qyql", id="RHEL for SAP"),
        pytest.param("952qwcsxkm430zxhpy32i7w8g", id="RHEL for SAP, the other"),
    ],
)
def test_the_product_codes_of_red_hat_are_known(code):
    assert code in RED_HAT_MARKETPLACE


@pytest.mark.parametrize(
    ("text", "left"),
    [
        pytest.param("win2019-mysql", "win2019- ", id="another kind of SQL"),
        pytest.param("rhel9 for windows", "rhel9  ", id="somewhere else"),
        pytest.param("rhel9-base", "rhel9-base", id="a licence stays"),
        pytest.param("casino-rhel9", "casino-rhel9", id="the end of a word is no word"),
        pytest.param("photo-windows", "photo-windows", id="nor does it point elsewhere"),
        pytest.param("linux-windows", "linux-windows", id="nor is it a kind of windows"),
    ],
)
def test_what_only_looks_like_a_licence_is_taken_away(text, left):
    assert NOT_A_LICENCE.sub(" ", text) == left
