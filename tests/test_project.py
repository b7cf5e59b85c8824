from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.urls import URLPattern, URLResolver, get_resolver

ROOT = Path(settings.BASE_DIR)
PYTHON = sorted(
    path.relative_to(ROOT)
    for folder in ("amiportal", "registry", "sandbox")
    for path in (ROOT / folder).rglob("*.py")
)


def names_of_open_pages(patterns):
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            if pattern.app_name != "admin":
                yield from names_of_open_pages(pattern.url_patterns)
        elif isinstance(pattern, URLPattern) and not getattr(
            pattern.callback, "login_required", True
        ):
            yield pattern.name


def test_only_health_and_sign_in_are_public():
    assert sorted(names_of_open_pages(get_resolver().url_patterns)) == ["health", "login"]


@pytest.mark.django_db
def test_the_migrations_are_complete():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.parametrize("path", PYTHON, ids=str)
def test_no_file_has_grown_out_of_sight(path):
    lines = (ROOT / path).read_text().count("\n")

    assert lines <= 300 or "migrations" in path.parts or path.name == "settings.py"


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_every_requirement_is_pinned_with_hashes_and_no_registry_is_named(lock):
    text = (ROOT / lock).read_text()
    pins = [line for line in text.splitlines() if line and line[0].isalnum()]

    assert all("==" in pin and pin.endswith("\\") for pin in pins)
    assert "://" not in text
