"""What an image is declared to be billed as."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from registry.access import Action, may
from registry.audit import declare
from registry.billing.codes import label
from registry.forms.declaration import DeclarationForm
from registry.http import SignedInRequest
from registry.views.images import find


def declare_it(request: SignedInRequest, aws_id: str) -> HttpResponse:
    """Ask what an image is to be billed as, and why; then judge it by that."""
    image = find(request, aws_id)
    if not may(request.user, Action.DECLARE, image.account):
        raise PermissionDenied("Your role can't declare what this image is billed as.")
    if image.is_gone:
        raise Http404(f"{aws_id} is gone. Nothing is judged of it.")
    first = image.declared or image.expected_usage_operation or ""
    form = DeclarationForm(request.POST or None, initial={"code": first})
    if form.is_valid():
        code = form.cleaned_data["code"]
        because = form.cleaned_data["reason"]
        declare(image, code, by=request.user, because=because, at=timezone.now())
        said = f"declared to be {label(code)}" if code else "judged without a declaration"
        messages.success(request, f"{image.aws_id} is {said}.")
        return redirect(image)
    context = {"section": "images", "image": image, "form": form}
    status = 422 if form.errors else 200
    return render(request, "registry/declare.html", context, status=status)
