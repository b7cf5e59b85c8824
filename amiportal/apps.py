"""Django's administration, with a site of our own."""

from django.contrib.admin.apps import AdminConfig


class PortalAdminConfig(AdminConfig):
    # Not in registry.admin: that package registers its pages while the site is being made.
    default_site = "amiportal.admin_site.PortalAdminSite"
