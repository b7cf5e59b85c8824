"""What images are judged by, besides themselves."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Count, F, QuerySet

from registry.audit.ahead import read_ahead
from registry.audit.inventory import load_inventory, read_on_demand
from registry.audit.patterns import Said
from registry.billing.graph import Inventory
from registry.billing.rules import is_marketplace_code
from registry.models import Image, Instance

MANY = 5_000  # more are judged faster by the whole graph


@dataclass(frozen=True, slots=True)
class Known:
    """What an image is judged by, besides itself."""

    inventory: Inventory
    running: Mapping[str, int]  # image id to number of instances
    sold: dict[str, frozenset[str]] = field(default_factory=dict)  # read when it is asked for
    is_whole: bool = False
    said: Said = field(default_factory=Said.load)  # by people, of these images

    @classmethod
    def load(cls) -> "Known":
        """Read all of it, for judging every image."""
        return cls(load_inventory(), dict(_running()), is_whole=True)

    @classmethod
    def of(cls, image_ids: Collection[str]) -> "Known":
        """Read what these images are judged by; no more than that, unless they are many."""
        if len(image_ids) > MANY:
            return cls.load()
        inventory = read_on_demand(image_ids)
        # What they came from the last time, most of them come from now.
        before = Image.objects.filter(aws_id__in=image_ids).values_list("ancestors", flat=True)
        read_ahead(inventory, image_ids, likely=set().union(*before))
        return cls(inventory, dict(_running().filter(image_id__in=image_ids)))

    def products_of(self, instance_id: str) -> frozenset[str]:
        """Return the ids of the Marketplace products on an instance that a lineage names.

        Few images need them; the first that does reads those of all.
        """
        if not self.sold:
            rows = Instance.objects.exclude(product_codes=[])
            if not self.is_whole:
                rows = rows.filter(aws_id__in=list(self.inventory.instances))
            # The present last: of two rows with one id, the one that AWS still shows counts.
            order = F("gone_at").asc(nulls_last=True)
            found = rows.order_by(order, "pk").values_list("aws_id", "product_codes")
            self.sold.update({"": frozenset()} | {i: products(c) for i, c in found})
        return self.sold.get(instance_id, frozenset())


def products(codes: Sequence[Mapping[str, str]]) -> frozenset[str]:
    """Return the ids of those product codes that are of the Marketplace."""
    return frozenset(
        code["id"] for code in codes if is_marketplace_code(code["id"], code.get("type", ""))
    )


def _running() -> QuerySet[Instance, tuple[str, int]]:
    return (
        Instance.objects.present()
        .running()
        .order_by()
        .values_list("image_id")
        .annotate(number=Count("pk"))
    )
