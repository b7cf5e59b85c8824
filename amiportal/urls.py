"""Every address of the portal."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from registry.api.portal import api

handler403 = "registry.views.errors.forbidden"
handler404 = "registry.views.errors.not_found"
handler500 = "registry.views.errors.failed"

urlpatterns = [
    # Nobody guesses there as often as they like.
    path(
        "admin/password_change/",
        RedirectView.as_view(pattern_name="password"),
        name="admin-password",
    ),
    path("admin/", admin.site.urls),
    path("api/v1/", api.urls),
    path("", include("registry.urls")),
]
