"""List prices: asked for, read by the accounts that may, written down."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from registry import aws
from registry.access import Action, may_everywhere
from registry.billing.on_demand import Kind
from registry.jobs.connect import connect_pricing
from registry.jobs.queue import after_commit, recorded, taken
from registry.models import Account, Run, RunKind
from registry.sync.prices import Reading, needed_prices, read_prices

# One run asks for so many; what is left is for the next.
MOST = 500
PATIENCE, MOST_ATTEMPTS = timedelta(minutes=1), 5
_LONGEST_NOTE = 300
_NOTHING_READ = "No list price could be read."


@dataclass(slots=True)
class _Work:
    """What one run does: who can ask for what, what was answered, and who was refused why."""

    askers: Mapping[str, Sequence[Account]]  # by partition
    reading: Reading = field(default_factory=Reading)
    refused: dict[Account, str] = field(default_factory=dict)
    is_slowed: bool = False

    def ask(self, partition: str, kinds: Sequence[Kind], *, at: datetime) -> None:
        """Let the accounts of a partition ask, one after the other until one has all answers."""
        for account in self.askers[partition]:
            left = [kind for kind in kinds if kind not in self.reading.read]
            try:
                read_prices(connect_pricing(account, partition), left, self.reading, at=at)
            except (aws.AwsError, PermissionError) as error:
                self.refused[account] = str(error)
                self.is_slowed |= isinstance(error, aws.Throttled)
            else:
                return


def request_prices(*, by: User | None) -> Run | None:
    """Queue a reading of list prices, or return the one that waits; None if nobody reads them."""
    if not Account.objects.filter(reads_prices=True).exists():
        return None
    run, is_new = Run.objects.get_or_queue(
        kind=RunKind.PRICES, requested_by=by, requested_at=timezone.now()
    )
    if is_new:
        after_commit(run_prices, run)
    return run


def run_prices(run_id: int) -> None:
    """Read the list prices that are needed and missing or old, the most needed first."""
    with taken(run_id) as run:
        if run is None:
            return
        with recorded(run):
            if run.requested_by and not may_everywhere(run.requested_by, Action.SYNC):
                raise PermissionError(f"{run.requested_by} may not read list prices.")
            _read(run, at=timezone.now())


def _read(run: Run, *, at: datetime) -> None:
    work = _Work(_askers())
    due = _due(work.askers, at=at)
    now = due[:MOST]
    for partition, kinds in _by_partition(now).items():
        work.ask(partition, kinds, at=at)
    run.result = {
        "read": len(work.reading.read),
        "unknown": work.reading.unknown,
        "odd": len(work.reading.odd),
        "left": len(due) - len(work.reading.read),
        "refused": {account.number: why for account, why in work.refused.items()},
    }
    run.note = _note(work, now)
    _conclude(run, work, unread=len(now) - len(work.reading.read), is_more=len(due) > len(now))


def _conclude(run: Run, work: _Work, *, unread: int, is_more: bool) -> None:
    """Go on later where AWS slows us, or with what is left; fail where nothing could be read."""
    now = timezone.now()
    if unread and work.is_slowed and run.attempt < MOST_ATTEMPTS:
        run.wait(until=now + PATIENCE, note="AWS slows requests; the reading goes on in a minute")
    elif unread and not work.reading.read:
        run.finish(at=now, error=run.note, note=_NOTHING_READ, result=run.result)
    elif is_more:
        request_prices(by=run.requested_by)


def _askers() -> dict[str, list[Account]]:
    found: dict[str, list[Account]] = defaultdict(list)
    rows = Account.objects.filter(reads_prices=True).order_by("number")
    for account in rows.prefetch_related("scopes"):
        found[_partition(account)].append(account)
    return found


def _partition(account: Account) -> str:
    """Return the partition of an account: that of its role, else of a region of it."""
    if account.role_arn:
        return account.role_arn.split(":")[1]
    regions = sorted(scope.region for scope in account.scopes.all())
    return aws.partition_of(regions[0]) if regions else "aws"


def _due(askers: Mapping[str, Sequence[Account]], *, at: datetime) -> list[Kind]:
    """Return what is needed of the partitions for which somebody asks."""
    return [kind for kind in needed_prices(at=at) if aws.partition_of(kind.region) in askers]


def _by_partition(kinds: Sequence[Kind]) -> dict[str, list[Kind]]:
    found: dict[str, list[Kind]] = defaultdict(list)
    for kind in kinds:
        found[aws.partition_of(kind.region)].append(kind)
    return found


def _note(work: _Work, wanted: Sequence[Kind]) -> str:
    reading = work.reading
    if not work.askers:
        said = "No account reads list prices."
    elif not wanted:
        said = "Every list price that is needed is known and no older than a week."
    elif not reading.read:
        said = _NOTHING_READ
    else:
        number = len(reading.read)
        prices = "list price" if number == 1 else "list prices"
        said = f"{number:,} {prices} read, {reading.unknown:,} of them unknown."
    problems = [f"{account.name}: {why}" for account, why in work.refused.items()]
    problems += [why for kind, why in reading.odd.items() if kind not in reading.read][:1]
    return " ".join([said, *problems])[:_LONGEST_NOTE]
