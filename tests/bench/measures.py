"""What is measured, each in a process of its own: `python -m tests.bench.measures full`."""

import json
import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from typing import Any

import django

django.setup()

from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from registry.audit import audit  # noqa: E402
from registry.audit.utilization import month  # noqa: E402
from registry.audit.waste_in_all import waste_in_all  # noqa: E402
from registry.models import Image, Instance, ReservedInstance, Touched  # noqa: E402
from tests.bench.timed import Timed  # noqa: E402

CHANGED = 1_000


def reference(at: datetime) -> int:
    """Read every image and instance once, as rows: what no audit can do without."""
    kinds = (Image.objects.present(), Instance.objects.present())
    return sum(1 for rows in kinds for _ in rows.iterator(chunk_size=5_000))


def full(at: datetime) -> int:
    return audit(at=at).images


def incremental(at: datetime) -> int:
    return audit(at=at, is_full=False).images


def touch(at: datetime) -> int:
    """Change what a sync changes: here a thousand images and instances get another name."""
    for model in (Image, Instance):
        keys = model._default_manager.order_by("pk").values_list("pk", flat=True)
        some = list(keys[:: max(1, keys.count() // CHANGED)][:CHANGED])
        rows = model._default_manager.filter(pk__in=some)
        rows.update(name="renamed")
        kind = str(model._meta.model_name)
        ids = rows.values_list("aws_id", flat=True)
        Touched.objects.bulk_create([Touched(kind=kind, aws_id=aws_id) for aws_id in ids])
    return CHANGED


def thirty_days(at: datetime) -> int:
    found = month(ReservedInstance.objects.present(), at=at)
    return sum(kind.purchases for kind in found.kinds)


def waste(at: datetime) -> int:
    return waste_in_all(ReservedInstance.objects.present(), at=at).purchases


MEASURES: dict[str, Callable[[datetime], int]] = {
    function.__name__: function
    for function in (reference, full, touch, incremental, thirty_days, waste)
}


def measured(name: str) -> dict[str, Any]:
    """Run one of MEASURES; return how long it took, its peak of memory, its statements."""
    queries = 0

    def count(execute: Any, *call: Any) -> Any:
        nonlocal queries
        queries += 1
        return execute(*call)

    with ExitStack() as stack:
        stack.enter_context(connection.execute_wrapper(count))
        timed = stack.enter_context(Timed())
        things = MEASURES[name](timezone.now())
    return {"things": things, "queries": queries} | timed.figures()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measured(sys.argv[1])))
