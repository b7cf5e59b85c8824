"""Everything in the foreground: web server, workers and clock, with --demo a company too."""

import fcntl
import os
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from django.db import OperationalError

from registry.models import Account
from sandbox.guardian import Guardian
from sandbox.ports import choose, is_own
from sandbox.supervisor import Program, Supervisor

MANAGE = [sys.executable, str(settings.BASE_DIR / "manage.py")]
WORKERS = ("register", "sync", "sync", "audit")
MANAGEMENT_ACCOUNT = "100000000001"
LARGEST_PORT = 65_535


class Command(BaseCommand):
    help = "Start the portal and keep it running until Ctrl-C or SIGTERM."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--demo", action="store_true", help="With a simulated company.")
        parser.add_argument(
            "--bind", type=host, default="127.0.0.1", help="Address of the web server."
        )
        parser.add_argument("--port", type=port, default=8000)
        parser.add_argument("--aws-port", type=port, default=8001, help="Of the simulated AWS.")

    def handle(self, *args: Any, **options: Any) -> None:
        home = Path(settings.HOME)
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        take(home)
        guardian = Guardian()
        supervisor = Supervisor(guardian, home / "log", folder=settings.BASE_DIR)
        try:
            self._run(supervisor, options)
        except KeyboardInterrupt:
            pass
        except OperationalError as error:
            said = str(error).partition("\n")[0]
            raise CommandError(
                f"The database does not answer. If another command on {home} has just stopped it, "
                f"start again. ({said})"
            ) from None
        finally:
            self.stdout.write("Stopping.")
            supervisor.stop()
            guardian.close()

    def _run(self, supervisor: Supervisor, options: dict[str, Any]) -> None:
        supervisor.listen()
        os.environ.setdefault("AMIPORTAL_HTTPS", "false" if is_local(options["bind"]) else "true")
        self._prepare()
        keep_apart(Path(settings.HOME), is_demo=options["demo"])
        if options["demo"]:
            self._simulate_aws(supervisor, options["aws_port"])
        bind, free = options["bind"], choose(options["bind"], options["port"])
        web = web_server(bind, free)
        supervisor.start(web)
        for number, queue in enumerate(WORKERS, start=1):
            supervisor.start(worker(number, queue))
        supervisor.start(Program("clock", [*MANAGE, "clock"]))
        supervisor.wait_for(web)
        if options["demo"]:
            self.stdout.flush()
            if supervisor.run([*MANAGE, "seed_demo", "--wait"]):
                raise CommandError("The demo could not be made ready.")
        self.stdout.write(f"Ready: {url_of(bind, free)}/")
        self.stdout.flush()
        supervisor.watch()

    def _prepare(self) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)

    def _simulate_aws(self, supervisor: Supervisor, wanted: int) -> None:
        port = choose("127.0.0.1", wanted)
        url = f"http://127.0.0.1:{port}"
        os.environ |= {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": f"AKIA{MANAGEMENT_ACCOUNT}",
            "AWS_SECRET_ACCESS_KEY": "demo",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        state = Path(settings.HOME) / "aws-state.json"
        command = [
            sys.executable,
            "-m",
            "sandbox.aws",
            "--port",
            str(port),
            "--state",
            str(state),
        ]
        aws = Program("aws", command, is_ready=answering(f"{url}/_sandbox/health"))
        supervisor.start(aws)
        supervisor.wait_for(aws)


def take(home: Path) -> None:
    """Keep the home for this process until it ends: its servers stop after the command is done."""
    lock = os.open(home / "up.lock", os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise CommandError(
            f"The portal already runs on {home}, or is just stopping. Stop it, or wait a moment."
        ) from None


def host(text: str) -> str:
    """Read an address of this machine: a name or a number, without a port."""
    address, _, number = text.rpartition(":")
    if number.isdecimal() and address and (":" not in address or address.endswith("]")):
        raise ArgumentTypeError(
            f"write the port on its own: --bind {address.strip('[]')} --port {number}."
        )
    if not is_own(text):
        raise ArgumentTypeError(
            f"{text} is no address of this machine. 127.0.0.1 is for this machine alone, 0.0.0.0 "
            "for all that reach it."
        )
    return text


def port(text: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() else -1
    if not 0 <= number <= LARGEST_PORT:
        raise ArgumentTypeError(f"{text} is no port. Use 0 to {LARGEST_PORT}; 0 takes a free one.")
    return number


def is_local(address: str) -> bool:
    return address in {"127.0.0.1", "::1", "localhost"}


def keep_apart(home: Path, *, is_demo: bool) -> None:
    """Refuse a home that holds the other kind of data: the demo's passwords are public."""
    note, kind = home / "kind", "demo" if is_demo else "real"
    known = note.read_text() if note.exists() else ""
    if not known and is_demo and Account.objects.exists():
        known = "real"
    if known not in {"", kind}:
        raise CommandError(
            f"{home} holds the data of {'the demo' if known == 'demo' else 'a real portal'}. "
            "Set AMIPORTAL_HOME to another folder"
            f"{', or forget the demo with make demo-reset' if known == 'demo' else ''}."
        )
    note.write_text(kind)


def url_of(host: str, port: int) -> str:
    """Return the address at which a browser on this machine finds the web server."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def web_server(host: str, port: int) -> Program:
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host]
    command += ["--port", str(port), "--workers", "1", "--blocking-threads", "4", "--no-ws"]
    # As a proxy would ask: by a name under which the portal answers, behind TLS.
    name = next((name for name in settings.ALLOWED_HOSTS if name[0] not in "*."), "localhost")
    is_ready = answering(
        f"{url_of(host, port)}/healthz/", {"Host": name, "X-Forwarded-Proto": "https"}
    )
    return Program("web", [*command, "amiportal.wsgi:application"], is_ready=is_ready)


def worker(number: int, queue: str) -> Program:
    return Program(f"worker-{number}-{queue}", [*MANAGE, "rqworker", "--worker-ttl", "45", queue])


def answering(url: str, headers: dict[str, str] | None = None) -> Callable[[], bool]:
    """Make a question: does `url` answer with 200?"""
    asked = Request(url, headers=headers or {})  # noqa: S310  # ours, http

    def ask() -> bool:
        try:
            with urlopen(asked, timeout=2) as answer:  # noqa: S310  # ours, http
                return bool(answer.status == HTTPStatus.OK)
        except OSError:
            return False

    return ask
