import django_rq
import pytest

from registry.jobs import worker
from registry.models import RunKind


@pytest.mark.parametrize("queue", ["register", "sync", "audit"])
def test_every_queue_is_worked_on_by_our_worker(queue):
    assert isinstance(django_rq.get_worker(queue), worker.PortalWorker)


def test_it_has_loaded_the_job_of_every_kind_before_it_forks():
    assert worker.JOBS.keys() == set(RunKind.values)
