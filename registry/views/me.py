"""What belongs to whoever is signed in: their tokens and their password."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.views import PasswordChangeView
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse_lazy
from django.utils import timezone

from registry.forms.password import PasswordForm
from registry.http import SignedInRequest
from registry.models import ApiToken

SHOWN = 50


def me(request: SignedInRequest) -> HttpResponse:
    """Show one's own tokens, the newest first; nobody can read the secret of one again."""
    now, mine = timezone.now(), ApiToken.objects.filter(user=request.user)
    is_over = Q(revoked_at__isnull=False) | Q(expires_at__lte=now)
    tokens = list(mine.exclude(is_over).order_by("-pk")[:SHOWN])
    over = list(mine.filter(is_over).order_by("-pk")[:SHOWN])
    number = mine.count()
    context = {
        "tokens": tokens,
        "over": over,
        "number": number,
        "shown": SHOWN,
        "is_cut": number > len(tokens) + len(over),
    }
    return render(request, "registry/me.html", context)


class ChangePassword(PasswordChangeView):
    """Change one's own password. Whoever else is signed in with it has to sign in again."""

    template_name = "registry/password.html"
    form_class = PasswordForm
    success_url = reverse_lazy("me")

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"request": self.request}

    def form_valid(self, form: Any) -> HttpResponse:
        answer = super().form_valid(form)
        messages.success(self.request, "Your password is changed.")
        return answer

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)
