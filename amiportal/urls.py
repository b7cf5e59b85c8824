"""Every address of the portal."""

from django.contrib import admin
from django.urls import include, path

handler403 = "registry.views.errors.forbidden"
handler404 = "registry.views.errors.not_found"
handler500 = "registry.views.errors.failed"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("registry.urls")),
]
