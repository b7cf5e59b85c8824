"""What every page shows around its content, and the scope that narrows all of them."""

from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, Min, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from registry.access import Action, accounts, may_everywhere, may_somewhere, roles, visible
from registry.forms.filters import of_thing
from registry.models import Image, Instance, Run, RunKind, RunState, Schedule, Scope
from registry.models.finding import FindingQuerySet
from registry.models.run import RunQuerySet
from registry.triage import readable

COUNT_SECONDS = 30
_Rows = TypeVar("_Rows", bound=QuerySet[Any])


def narrow(request: HttpRequest, rows: _Rows, *, by: str = "account") -> _Rows:
    """Leave what the signed-in person may read and has chosen to look at.

    `by` names the way to the account; the region stands beside it.
    """
    chosen = request.session.get("scope", {})
    rows = visible(rows, request.user, by=by)
    if chosen.get("accounts"):
        rows = rows.filter(**{f"{by}__number__in": chosen["accounts"]})
    if chosen.get("regions"):
        rows = rows.filter(**{f"{by.removesuffix('account')}region__in": chosen["regions"]})
    return rows


def findings(request: HttpRequest) -> FindingQuerySet:
    """Return the findings about images, instances and purchases within the scope."""
    chosen = request.session.get("scope", {})
    rows = readable(request.user)  # type: ignore[arg-type] # nobody else gets here
    if chosen.get("accounts"):
        rows = rows.filter(of_thing("account__number", chosen["accounts"]))
    if chosen.get("regions"):
        rows = rows.filter(of_thing("region", chosen["regions"]))
    return rows


def runs(request: HttpRequest) -> RunQuerySet:
    """Return the runs of accounts that the person may read; those about all to who reads all.

    What somebody has asked to be done to many findings is theirs to see.
    """
    if may_everywhere(request.user, Action.READ):
        return Run.objects.all()
    mine = accounts(request.user)
    removals = Run.objects.filter(removal__items__image__account__in=mine)
    return Run.objects.filter(
        Q(scope__account__in=mine)
        | Q(registration__account__in=mine)
        | Q(pk__in=removals.values("pk"))
        | Q(kind=RunKind.TRIAGE, requested_by=request.user.pk)
    )


def shell(request: HttpRequest) -> dict[str, Any]:
    """Give what the frame of a page needs; little for somebody who has not signed in."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"is_demo": settings.DEMO}
    return {
        "is_demo": settings.DEMO,
        # Only a page in the frame asks for these.
        "nav": SimpleLazyObject(lambda: _counts(request)),
        "freshness": SimpleLazyObject(lambda: _freshness(request)),
        "scope_accounts": SimpleLazyObject(lambda: list(accounts(user).order_by("name"))),
        "scope_regions": SimpleLazyObject(lambda: _regions(request)),
        "scope_chosen": request.session.get("scope", {}),
        "my_roles": SimpleLazyObject(lambda: roles(user)),
        "can_register": SimpleLazyObject(lambda: may_somewhere(user, Action.REGISTER)),
        "can_sync": SimpleLazyObject(lambda: may_somewhere(user, Action.SYNC)),
        "can_manage": SimpleLazyObject(lambda: may_everywhere(user, Action.MANAGE)),
    }


def _counts(request: HttpRequest) -> dict[str, int]:
    chosen = request.session.get("scope", {})
    key = f"nav:{request.user.pk}:{hash(str(sorted(chosen.items())))}"
    found: dict[str, int] | None = cache.get(key)
    if found is None:
        to_do = findings(request).actionable()
        found = {
            "images": narrow(request, Image.objects.present()).count(),
            "instances": narrow(request, Instance.objects.present()).count(),
            "findings": to_do.count(),
            "critical": to_do.filter(severity="critical").count(),
        }
        cache.set(key, found, COUNT_SECONDS)
    held = Count("pk", filter=Q(state=RunState.HELD), distinct=True)
    number = Count("pk", filter=~Q(state=RunState.HELD), distinct=True)
    return found | runs(request).active().aggregate(running=number, held=held)


def stale_before() -> datetime:
    """Return the time before which a reading is stale: three intervals ago, at most three days."""
    return timezone.now() - 3 * (Schedule.objects.sync_interval() or timedelta(days=1))


def _freshness(request: HttpRequest) -> dict[str, Any]:
    scopes = visible(Scope.objects.enabled(), request.user)
    # A recording does not grow old by itself: nobody reads it again.
    is_stale = Q(synced_at=None) | Q(synced_at__lt=stale_before(), account__is_synced=True)
    return dict(
        scopes.aggregate(
            number=Count("pk"),
            stale=Count("pk", filter=is_stale),
            failing=Count("pk", filter=Q(failing_since__isnull=False)),
            oldest=Min("synced_at"),
        )
    )


def _regions(request: HttpRequest) -> list[str]:
    scopes = visible(Scope.objects.enabled(), request.user)
    return list(scopes.order_by("region").values_list("region", flat=True).distinct())
