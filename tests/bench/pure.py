"""What purchases take without a database, each measure in a process of its own.

`python -m tests.bench.pure apply` answers in JSON, `python -m tests.bench.pure naive` in words.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

from registry.billing.change import Change
from registry.billing.counterfactual import Counterfactual
from registry.billing.coverage import apply
from registry.billing.proposals import IMAGE, Candidate, moves_and_shares, ranked
from registry.billing.situation import Situation
from tests.bench.fleet import AT, Company, company
from tests.bench.timed import Timed
from tests.billing.naive_rules import RULES, Use, errors, naively

MACHINES, PURCHASES, BAD_IMAGES = 100_000, 10_000, 500


def apply_purchases(found: Company) -> int:
    apply(found.purchases, found.machines, found.owners, at=AT)
    return len(found.machines)


def rank_images(found: Company) -> int:
    """Say of the first bad images what each would change alone, and what all share out."""
    some = dict(list(found.bad_images.items())[:BAD_IMAGES])
    asked = Counterfactual(Situation(found.purchases, found.machines, found.owners, at=AT))
    asked.shares({image: some[image] for image in asked.effects(some)})
    return len(some)


def rank_changes(found: Company) -> int:
    """Rank all bad images, moves to the region and accounts that could share, as an audit does."""
    situation = Situation(found.purchases, found.machines, found.owners, at=AT)
    asked = Counterfactual(situation)
    every = [
        *(
            Candidate(IMAGE, image, Change(codes=codes))
            for image, codes in found.bad_images.items()
        ),
        *moves_and_shares(situation, asked),
    ]
    return len(ranked(asked, every))


MEASURES: dict[str, Callable[[Company], int]] = {
    "apply": apply_purchases,
    "rank": rank_images,
    "changes": rank_changes,
}


def measured(name: str) -> dict[str, Any]:
    """Run one of MEASURES on a fleet that is there; return how long it took and its memory."""
    found = company(MACHINES, PURCHASES)
    with Timed() as timed:
        things = MEASURES[name](found)
    return {"things": things, "queries": 0} | timed.figures()


def naive() -> str:
    """Say what naive rules get wrong on the same fleet."""
    found = company(MACHINES, PURCHASES)
    ours = apply(found.purchases, found.machines, found.owners, at=AT)
    used = {aws_id: use.used for aws_id, use in ours.purchases.items()}
    right = Use(used, ours.machines)
    return "\n".join(
        f"{name:34}{errors(naively(rule, found.purchases, found.machines, found.owners), right)}"
        for name, rule in RULES.items()
    )


if __name__ == "__main__":
    asked = sys.argv[1]
    sys.stdout.write(naive() if asked == "naive" else json.dumps(measured(asked)))
