"""Background work as rows: queued, running, perhaps waiting, then succeeded or failed."""

from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.urls import reverse

from registry.models.account import Scope
from registry.models.image import Image


class RunKind(models.TextChoices):
    SYNC = "sync", "Sync inventory"
    AUDIT = "audit", "Audit"
    VERIFY = "verify", "Verify again"
    REGISTER = "register", "Register image"
    REMOVE = "remove", "Discard images"
    REPORT = "report", "Report"
    TRIAGE = "triage", "Triage findings"
    PRICES = "prices", "Read list prices"
    BILLS = "bills", "Read bills"


class RunState(models.TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    WAITING = "waiting", "Waiting on AWS"
    HELD = "held", "Needs a decision"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"


ACTIVE = (RunState.QUEUED, RunState.RUNNING, RunState.WAITING, RunState.HELD)
OVER = (RunState.SUCCEEDED, RunState.FAILED)


class RunQuerySet(models.QuerySet["Run"]):
    def active(self) -> Self:
        return self.filter(state__in=ACTIVE)

    def over(self) -> Self:
        return self.filter(state__in=OVER)

    def due(self, at: datetime) -> Self:
        """Runs that a worker should take now."""
        return self.filter(Q(state=RunState.QUEUED) | Q(state=RunState.WAITING, wake_at__lte=at))

    def get_or_queue(self, **fields: Any) -> tuple["Run", bool]:
        """Return the active run of the same kind and subject, and whether this call made it."""
        try:
            with transaction.atomic():
                return self.create(**fields), True
        except IntegrityError:
            # Not only among the active: it may have ended since.
            same = self.filter(kind=fields["kind"], scope=fields.get("scope"))
            return same.latest("pk"), False

    def claim(self, pk: int, *, at: datetime) -> "Run | None":
        """Start the run `pk` if it is due; None if another worker has it or it is over."""
        if (
            not self.filter(pk=pk)
            .due(at)
            .update(
                state=RunState.RUNNING,
                started_at=Coalesce("started_at", at),
                wake_at=None,
                attempt=F("attempt") + 1,
            )
        ):
            return None
        return self.get(pk=pk)

    def for_list(self) -> Self:
        return self.select_related(
            "scope__account", "requested_by", "registration__account", "report", "removal"
        )


class Run(models.Model):
    """A piece of background work. RQ carries nothing but its primary key."""

    kind = models.CharField(max_length=16, choices=RunKind.choices)
    scope = models.ForeignKey(Scope, models.CASCADE, related_name="runs", null=True, blank=True)
    images = models.ManyToManyField(Image, related_name="runs", blank=True)
    state = models.CharField(max_length=16, choices=RunState.choices, default=RunState.QUEUED)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="runs", null=True, blank=True
    )
    requested_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    wake_at = models.DateTimeField(null=True, blank=True, help_text="When a waiting run goes on.")
    finished_at = models.DateTimeField(null=True, blank=True)
    attempt = models.PositiveIntegerField(default=0, help_text="How often a worker took it.")
    note = models.CharField(max_length=300, blank=True, help_text="Where it stands, in a sentence.")
    policy = models.CharField(
        max_length=100, blank=True, help_text="Name of the policy that says who must agree."
    )
    approvals_needed = models.PositiveSmallIntegerField(default=0)
    is_trial = models.BooleanField(
        default=False, help_text="It is held after the checks until somebody confirms it."
    )
    error = models.TextField(blank=True)
    result = models.JSONField(default=dict, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scope"],
                condition=Q(kind="sync", state__in=ACTIVE),
                name="registry_run_one_active_sync_per_scope",
            ),
            models.UniqueConstraint(
                fields=["kind"],
                condition=Q(kind__in=["audit", "prices", "bills"], state=RunState.QUEUED),
                name="registry_run_one_queued_of_all",
            ),
            models.CheckConstraint(
                condition=Q(state__in=OVER, finished_at__isnull=False)
                | Q(state__in=ACTIVE, finished_at=None),
                name="registry_run_over_has_its_time",
            ),
            models.CheckConstraint(
                condition=~Q(state="failed") | ~Q(error=""),
                name="registry_run_failed_says_why",
            ),
            models.CheckConstraint(
                condition=~Q(state="waiting") | Q(wake_at__isnull=False),
                name="registry_run_waiting_says_until_when",
            ),
            models.CheckConstraint(
                condition=~Q(kind="sync") | Q(scope__isnull=False),
                name="registry_run_sync_has_a_scope",
            ),
        ]
        indexes = [models.Index(fields=["state", "kind"], name="registry_run_state")]

    def __str__(self) -> str:
        return f"{self.ref} {self.get_kind_display()}"

    def get_absolute_url(self) -> str:
        return reverse("jobs:detail", args=[self.ref])

    @property
    def ref(self) -> str:
        return f"J-{self.pk:04d}"

    @property
    def is_over(self) -> bool:
        return self.state in OVER

    def finish(self, *, at: datetime, error: str = "", **fields: Any) -> bool:
        """Record the end; False if somebody else has taken the run over meanwhile."""
        state = RunState.FAILED if error else RunState.SUCCEEDED
        return self._leave(state=state, finished_at=at, error=error, **fields)

    def wait(self, *, until: datetime, note: str) -> bool:
        """Give the worker back and go on at `until`."""
        return self._leave(state=RunState.WAITING, wake_at=until, note=note)

    def record(
        self, text: str, request_id: str = "", *, at: datetime, subject: str = ""
    ) -> "Event":
        """Add a line to the timeline."""
        return self.events.create(text=text, request_id=request_id, at=at, subject=subject)

    def hold(self, *, note: str) -> bool:
        """Give the worker back until a person has decided."""
        return self._leave(state=RunState.HELD, note=note)

    def _leave(self, **fields: Any) -> bool:
        # The attempt is the fence: a worker that was declared dead changes nothing.
        mine = Run.objects.filter(pk=self.pk, state=RunState.RUNNING, attempt=self.attempt)
        if not mine.update(**fields):
            return False
        for name, value in fields.items():
            setattr(self, name, value)
        return True


class Event(models.Model):
    """One line of the timeline of a run: a decision, an AWS call, a state."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="events")
    at = models.DateTimeField()
    subject = models.CharField(max_length=64, blank=True, help_text="The image, where one of many.")
    text = models.TextField()
    request_id = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return self.text
