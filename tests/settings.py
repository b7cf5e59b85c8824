"""The portal's settings with the servers of the tests."""

import os

from tests import services

running = services.start()
os.environ["DATABASE_URL"] = running.database_url
os.environ["REDIS_URL"] = running.redis_url
os.environ["AMIPORTAL_SECRET_KEY"] = "only for the tests, and not for anybody's data"
os.environ["AMIPORTAL_HTTPS"] = "false"

from amiportal.settings import *  # noqa: E402

WHITENOISE_AUTOREFRESH = True
# The names of files without a hash: nothing has to be collected before the tests.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
