"""The worker process: it has loaded what its jobs need before it forks for each of them."""

from rq.worker import Worker

from registry.jobs import housekeeping

# The jobs that a worker may be asked for; with them boto3, whose loading takes longer than a job.
JOBS = housekeeping.JOBS


class PortalWorker(Worker):
    """RQ's own worker. Its module is what makes the difference."""
