"""Every address of the portal."""

from django.contrib import admin
from django.urls import include, path

from registry.api.portal import api

handler403 = "registry.views.errors.forbidden"
handler404 = "registry.views.errors.not_found"
handler500 = "registry.views.errors.failed"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/v1/", api.urls),
    path("", include("registry.urls")),
]
