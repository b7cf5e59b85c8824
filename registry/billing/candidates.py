"""Changes that are worth a question: purchases that could move, accounts that could share."""

from collections.abc import Iterator

from registry.billing.change import REGION, Change
from registry.billing.counterfactual import Counterfactual
from registry.billing.pool import Pool
from registry.billing.situation import Situation


def to_region(situation: Situation, asked: Counterfactual) -> dict[str, Change]:
    """Return for the id of each zonal purchase with an idle part its move to the region.

    Left out is what could find nothing there.
    """
    return {
        pool.purchase.aws_id: Change(zones={pool.purchase.aws_id: REGION})
        for pool in _idle(situation, asked)
    }


def to_zones(situation: Situation, asked: Counterfactual) -> dict[tuple[str, str], Change]:
    """Return for the ids of such a purchase and of a zone the move there."""
    found = {}
    for pool in _idle(situation, asked):
        bought = pool.purchase
        own = situation.zone(bought)
        for place in situation.circle(situation.key_of(pool)).places:
            # Names of zones mean something in one account only: nobody could move it there.
            is_known = place.zone and " " not in place.zone
            if is_known and place.zone != own and place.instance_type == bought.instance_type:
                change = Change(zones={bought.aws_id: place.zone})
                found[bought.aws_id, place.zone] = change
    return found


def to_share(situation: Situation) -> dict[str, Change]:
    """Return for the number of each account that does not share its turning on."""
    return {
        owner.account: Change(sharing=frozenset({owner.account}))
        for owner in sorted(situation.owners, key=lambda owner: owner.account)
        if not owner.sharing
    }


def _idle(situation: Situation, asked: Counterfactual) -> Iterator[Pool]:
    for pool in situation.pools.values():
        if (
            not pool.is_regional
            and situation.payment.used(pool) < pool.purchase.count
            and asked.has_unpaid(situation.key_of(pool))
        ):
            yield pool
