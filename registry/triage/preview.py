"""What an action on many findings would do, before anything is asked for."""

from collections import Counter
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db.models import BooleanField, Count, ExpressionWrapper, Min, Q, QuerySet
from django.db.models.functions import Coalesce

from registry.models import Finding
from registry.triage.objections import Rights, object_to
from registry.triage.wish import Late, Refused, Wish


@dataclass(frozen=True, slots=True)
class Preview:
    """How many findings are meant, and how many of them are left as they are, by reason."""

    number: int
    left: Counter[str]

    @property
    def done(self) -> int:
        return self.number - self.left.total()

    @property
    def reasons(self) -> list[tuple[str, int]]:
        """Why some are left, and how many for each reason; the most frequent first."""
        return self.left.most_common()


def preview(findings: QuerySet[Finding], wish: Wish) -> Preview:
    """Say what `wish` would do to the findings as they are now.

    Of findings that nothing tells apart which counts, one stands for all: so it takes a few
    queries, however many there are.
    """
    kinds = (
        findings.order_by()
        .annotate(
            place=Coalesce("image__account", "instance__account", "reserved_instance__account"),
            is_image=ExpressionWrapper(Q(image__isnull=False), BooleanField()),
        )
        .values("state", "place", "assignee", "is_image")
        .annotate(number=Count("pk"), one=Min("pk"))
    )
    numbers = {kind["one"]: kind["number"] for kind in kinds}
    left: Counter[str] = Counter()
    rights = Rights()
    for pk, finding in Finding.objects.for_list().in_bulk(list(numbers)).items():
        try:
            object_to(finding, wish, rights)
        except (PermissionDenied, Late, Refused) as objection:
            left[str(objection)] += numbers[pk]
    return Preview(sum(numbers.values()), left)
