"""Searching everything: an exact id opens its page."""

from django.http import HttpResponse
from django.shortcuts import redirect, render

from registry.access import visible
from registry.http import SignedInRequest
from registry.models import Image, Instance, ReservedInstance, Snapshot

SHOWN = 10


def search(request: SignedInRequest) -> HttpResponse:
    words = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    images = visible(Image.objects.all(), request.user)
    instances = visible(Instance.objects.all(), request.user)
    purchases = visible(ReservedInstance.objects.present(), request.user)
    for rows in (images, instances, purchases):
        exact = rows.filter(aws_id=words).first()
        if exact:
            return redirect(exact)
    snapshots = visible(Snapshot.objects.present(), request.user)
    context = {
        "words": words,
        "images": images.present().search(words)[:SHOWN] if words else [],
        "instances": instances.present().search(words)[:SHOWN] if words else [],
        "snapshots": snapshots.search(words)[:SHOWN] if words else [],
        "purchases": purchases.search(words)[:SHOWN] if words else [],
    }
    return render(request, "registry/search.html", context)
