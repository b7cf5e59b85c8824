"""The whole portal in a storm: kills, restarts and every fault of the list, at random."""

import os
import secrets

from tests.chaos.storm import storm

REQUESTS = 200


def test_after_a_storm_every_request_has_a_true_end_and_at_most_one_image(tmp_path):
    seed = int(os.environ.get("AMIPORTAL_CHAOS_SEED") or secrets.randbelow(10**9))
    print(f"AMIPORTAL_CHAOS_SEED={seed} repeats this storm")  # noqa: T201  # shown on a failure

    outcome = storm(seed, REQUESTS, tmp_path, print)

    assert outcome.wrong == []
    assert outcome.states["succeeded"] > REQUESTS / 2
