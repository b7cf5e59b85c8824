"""What others get wrong, counted on the same fleets against purchases applied by hand.

The figures are printed: `pytest -s tests/billing/test_naive_rules.py`; for a large company by
`make bench`.
"""

import sys
from collections import defaultdict
from fractions import Fraction

import pytest

from registry.billing.coverage import apply
from tests.bench.fleet import AT, company
from tests.billing.by_hand import Books, units
from tests.billing.fleets import FAMILY, RHEL, RHEL_BYOL, RHEL_RI, applied, bought, running
from tests.billing.naive_rules import RULES, Errors, Use, by_text, errors, naively, windows_or_linux
from tests.billing.seeded import NOW, seeded


def of_seeded():
    return *seeded(), NOW


def of_random():
    found = company(400, 80, seed=7)
    return found.purchases, found.machines, found.owners, AT


def by_hand(purchases, machines, owners, at):
    bought, ran = ({each.aws_id: each for each in things} for things in (purchases, machines))
    used: dict[str, Fraction] = defaultdict(Fraction)
    covered: dict[str, Fraction] = defaultdict(Fraction)
    for aws_id, covers in Books.of(purchases, machines, owners, at).covers().items():
        for cover in covers:
            used[aws_id] += cover.fraction * units(bought[aws_id], ran[cover.instance_id])
            covered[cover.instance_id] += cover.fraction
    return Use(used, covered)


@pytest.mark.parametrize(
    ("name", "fleet"),
    [
        pytest.param("the seeded company", of_seeded, id="seeded"),
        pytest.param("a random fleet", of_random, id="random"),
    ],
)
def test_each_naive_rule_errs_and_ours_does_not(name, fleet):
    purchases, machines, owners, at = fleet()
    right = by_hand(purchases, machines, owners, at)

    ours = apply(purchases, machines, owners, at=at)

    used = {aws_id: use.used for aws_id, use in ours.purchases.items()}
    found = {"ours": errors(Use(used, ours.machines), right)}
    for rule in RULES:
        found[rule] = errors(naively(RULES[rule], purchases, machines, owners), right)
    number, runs = sum(use.used + use.idle for use in ours.purchases.values()), len(ours.machines)
    sys.stdout.write(f"\nOf {number} Reserved Instances and {runs} running instances of {name}:\n")
    for rule, wrong in found.items():
        sys.stdout.write(f"  {rule:22}{wrong}\n")
    assert found["ours"] == Errors(Fraction(0), Fraction(0))
    assert all(found[rule].false_idle > 0 for rule in RULES)
    assert all(found[rule].false_covered > 0 for rule in RULES)


def test_windows_or_else_linux_lets_red_hat_take_what_is_for_linux():
    purchases = [
        bought("m5.large", aws_id="ri-linux"),
        bought("m5.large", aws_id="ri-rhel", platform=RHEL_RI),
    ]
    machines = [running("i-rhel", "m5.large", usage_operation=RHEL)]

    found = naively(windows_or_linux, purchases, machines, FAMILY)
    ours = applied(purchases, machines).purchases

    assert found.used == {"ri-linux": 1, "ri-rhel": 0}
    assert {aws_id: use.used for aws_id, use in ours.items()} == {"ri-linux": 0, "ri-rhel": 1}


def test_texts_keep_what_is_bought_for_linux_from_red_hat_of_ones_own():
    purchases = [bought("m5.large", aws_id="ri-linux")]
    machines = [running("i-byol", "m5.large", usage_operation=RHEL_BYOL)]

    assert naively(by_text, purchases, machines, FAMILY).used == {"ri-linux": 0}
    assert applied(purchases, machines).purchases["ri-linux"].used == 1
