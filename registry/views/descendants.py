"""What was made from an image, and what was launched from any of it."""

from typing import Any

from django.db.models import Count, F, Q

from registry.access import visible
from registry.http import SignedInRequest
from registry.models import Image, Instance

MOST = 50


def descendants(request: SignedInRequest, image: Image) -> dict[str, Any]:
    """Return the images in whose lineage an image is, in use first, and how many there are.

    The instances are those that run on it or on any of them, also on what is gone.
    """
    every = visible(Image.objects.descended_from(image.aws_id), request.user)
    present = every.present().for_list().order_by(F("running").desc(), "-created_at", "pk")
    of_these = Q(image_id=image.aws_id) | Q(image_id__in=every.values("aws_id"))
    launched = visible(Instance.objects.present().running().filter(of_these), request.user)
    numbers = every.aggregate(
        present=Count("pk", filter=Q(gone_at=None)), gone=Count("pk", filter=~Q(gone_at=None))
    )
    return numbers | {"rows": present[:MOST], "running": launched.count()}
