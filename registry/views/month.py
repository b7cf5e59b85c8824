"""How far Reserved Instances were used in the last thirty days, as the pages show it."""

from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from registry.audit.utilization import MONTH, TARGET, Kind, Month, month
from registry.billing.trend import percent
from registry.http import SignedInRequest
from registry.models import ReservedInstance
from registry.views.over_time import about
from registry.views.shell import narrow

SHOWN = 6
_LOW = 40  # percent
DAY = timedelta(days=1)


def used_in_a_month(request: SignedInRequest, *, at: datetime) -> Month:
    """Return the use of the active purchases in the scope."""
    return month(narrow(request, ReservedInstance.objects.present()), at=at)


def recorded(found: Month, *, at: datetime) -> str:
    """Say how much of the thirty days is recorded; "" where all is."""
    if found.since is None or found.since < at - MONTH + DAY:
        return ""
    return about(at - found.since)


def by_kind(request: SignedInRequest, *, at: datetime) -> dict[str, Any]:
    """Return the families and platforms with the most idle cost, and all others as one."""
    found = used_in_a_month(request, at=at)
    first, others = found.first(SHOWN)
    return {
        "kinds": [_row(kind) for kind in first],
        "others": _row(others) if others else None,
        "others_number": len(found.kinds) - len(first),
        "purchases": sum(kind.purchases for kind in found.kinds),
        "recorded": recorded(found, at=at),
        "target": TARGET,
    }


def _row(kind: Kind) -> dict[str, Any]:
    share = kind.share
    named = {"view": "all", "family": kind.family, "platform": kind.platform}
    return {
        "family": kind.family,
        "platform": kind.platform,
        "share": None if share is None else percent(share),
        "width": 0 if share is None else int(share * 100),
        "tone": _tone(share),
        "idle_hourly": kind.idle_hourly,
        "unpriced": kind.unpriced,
        "url": f"{reverse('reserved-instances:list')}?{urlencode(named)}",
    }


def _tone(share: Fraction | None) -> str:
    if share is None or share * 100 >= TARGET:
        return "var(--c-1)"
    return "var(--c-crit)" if share * 100 < _LOW else "var(--c-high)"
