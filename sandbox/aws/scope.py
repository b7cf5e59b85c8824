"""One account in one region, as an operation sees it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sandbox.aws.state import State, Thing


def _no_fault(operation: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a request was made, and by whom.

    `inner` names the fault of what an operation does by itself: DeregisterImage deletes snapshots.
    """

    state: State
    account: str
    region: str
    session: str = ""  # role and session name, where the caller took a role
    inner: Callable[[str], str] = _no_fault
    fault: str = ""  # the kind that the request itself met, where it is carried out all the same

    def mine(self, kind: str) -> Iterator[Thing]:
        return self.state.of(kind, self.account, self.region)

    def find(self, kind: str, aws_id: str) -> Thing | None:
        thing = self.state.things[kind].get(aws_id)
        if thing and (thing["_account"], thing["_region"]) == (self.account, self.region):
            return thing
        return None

    def put(self, kind: str, aws_id: str, thing: Thing) -> Thing:
        return self.state.put(kind, aws_id, thing, self.account, self.region)
