"""Give a program a token of the API."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from registry.models import ApiToken

MOST_DAYS = 3_650
_LONGEST_NAME = 100


class Command(BaseCommand):
    help = "Make a token with which a program acts as USER, and print it. It is shown once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", help="Whose rights the program has.")
        parser.add_argument("name", help="Which program uses it, for whoever revokes it.")
        parser.add_argument("--days", type=int, help="How long it is valid; without it, for good.")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['user']}.")
        if not user.is_active:
            raise CommandError(f"{user} is deactivated: a token would open nothing.")
        name, days = options["name"].strip(), options["days"]
        if not 1 <= len(name) <= _LONGEST_NAME or "\0" in name:
            raise CommandError("Give it a name of 1 to 100 characters.")
        if days is not None and not 1 <= days <= MOST_DAYS:
            raise CommandError(f"Use 1 to {MOST_DAYS:,} days.")
        now = timezone.now()
        expires_at = now + timedelta(days=days) if days else None
        _, secret = ApiToken.objects.issue(user, name, at=now, expires_at=expires_at)
        self.stdout.write(secret)
