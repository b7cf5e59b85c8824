"""What a sync can do without: read where that is possible, else noted for people to see.

A role may lack the permission for it, and not every region has every operation. Then less is known,
and nothing else is worse: the sync goes on, and what was read before stays.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from registry.aws import AwsError, Malformed
from registry.models import Scope

logger = logging.getLogger(__name__)
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Missed:
    """What could not be read, in words, and what AWS said."""

    what: str
    why: str


@dataclass(slots=True)
class Besides:
    """The optional readings of one sync of a scope."""

    scope: Scope
    missed: list[Missed] = field(default_factory=list)

    @contextmanager
    def reading(self, what: str) -> Iterator[None]:
        """Note what could not be read, where AWS refuses or does not answer, and go on."""
        try:
            yield
        except (AwsError, Malformed) as error:
            logger.warning("%s: could not read %s. %s", self.scope, what, error)
            self.missed.append(Missed(what, str(error)[:_LONGEST]))
