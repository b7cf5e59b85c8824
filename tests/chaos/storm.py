"""Hundreds of requests while everything goes wrong, and what is true in the end."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.ports import choose
from tests.chaos.company import Company
from tests.chaos.havoc import Havoc
from tests.chaos.program import Program
from tests.journeys.demo import ROOT, Demo

EXTRA_WORKERS = 2
AT_ONCE = 4
OVER = {"succeeded", "failed"}
CALM_SECONDS = 900.0
LAST_SECONDS = 10.0  # of the havoc, while images are discarded


@dataclass
class Outcome:
    """What was asked for and what came of it; `wrong` says what is not true, in words."""

    states: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    discarded: int = 0
    told: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0


def storm(seed: int, requests: int, home: Path, say: Callable[[str], None]) -> Outcome:
    """Start a demo, let `requests` images be asked for amid havoc, wait for calm, and compare."""
    demo = Demo(home, aws_port=choose("127.0.0.1", 0))
    try:
        demo.start()
        company = Company(f"http://127.0.0.1:{demo.aws_port}")
        people = {name: Program(demo.url, _token(demo, name)) for name in ("engineer", "admin")}
        people["developer"] = Program(demo.url, _token(demo, "developer"))
        say(f"{demo.url} is ready; {requests} requests")
        return _Storm(seed, company, people, say).rage(demo, requests)
    finally:
        demo.end(signal.SIGTERM)


class _Storm:
    def __init__(
        self, seed: int, company: Company, people: dict[str, Program], say: Callable[[str], None]
    ) -> None:
        self._dice = random.Random(seed)  # noqa: S311  # to be repeated
        self._seed = seed
        self._company = company
        self._people = people
        self._say = say
        self._home = people["developer"].ask("/images?limit=1")[1]["items"][0]["account"]
        self._keys: list[str] = []
        self._removals: list[str] = []
        self._outcome = Outcome()

    def rage(self, demo: Demo, requests: int) -> Outcome:
        began = time.monotonic()
        wishes = list(self._wishes(requests))
        havoc = Havoc(self._seed, demo, self._company, EXTRA_WORKERS)
        havoc.start()
        try:
            with self._decided_by_somebody(), ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(self._ask, wishes))
                self._say("everything was asked for; it rages on")
                self._wait_for_most(time.monotonic() + requests)
                self._discard_some()
                time.sleep(LAST_SECONDS)
                havoc.stop()
                self._wait_for_calm(havoc)
        finally:
            havoc.end()
        self._compare()
        self._outcome.told, self._outcome.seconds = havoc.told, time.monotonic() - began
        return self._outcome

    def _wishes(self, requests: int) -> Iterator[dict[str, Any]]:
        images = sorted(self._company.images(), key=lambda image: image["ImageId"])
        owned = [i for i in images if i["OwnerId"] == i["_account"] and _snapshot(i)]
        owned = [i for i in owned if i["State"] == "available" and i.get("UsageOperation")]
        scopes = sorted({(image["_account"], image["_region"]) for image in owned})
        machines = {scope: self._company.instances(*scope) for scope in scopes}
        for number in range(requests):
            wish = self._wish(number, owned, machines)
            yield wish
            if self._dice.random() < 0.05:  # the same name under another key: one of them wins
                yield {**wish, "key": self._key()}

    def _wish(
        self, number: int, images: Sequence[dict[str, Any]], machines: dict[Any, Any]
    ) -> dict[str, Any]:
        method = self._dice.choices(["snapshot", "instance", "copy"], [6, 2, 2])[0]
        image = self._dice.choice(images)
        wish = {
            "key": self._key(),
            "method": method,
            "account": image["_account"],
            "region": image["_region"],
            "name": f"storm-{number:04d}",
            "expected_usage_operation": image["UsageOperation"],
            "reason": "To see what holds in a storm.",
            "tags": {"team": "weather"},
        }
        if method == "snapshot":
            wish["snapshot_id"] = _snapshot(image)
        elif method == "copy":
            others = {"us-east-1", "us-west-2", "eu-west-1"} - {image["_region"]}
            wish |= {"source_image_id": image["ImageId"], "source_region": image["_region"]}
            wish["region"] = self._dice.choice(sorted(others))
        else:
            (account, region), found = self._dice.choice(
                [item for item in machines.items() if item[1]]
            )
            machine = self._dice.choice(found)
            wish |= {"account": account, "region": region, "no_reboot": True}
            wish["source_instance_id"] = machine["InstanceId"]
            wish["expected_usage_operation"] = machine["UsageOperation"]
        return wish

    def _key(self) -> str:
        return str(uuid.UUID(int=self._dice.getrandbits(128), version=4))

    def _ask(self, wish: dict[str, Any]) -> None:
        number = int(wish["key"][:8], 16)
        # What a developer asks for, somebody else may have to approve.
        who = self._people["developer" if wish["account"] == self._home else "engineer"]
        status, answer = who.ask("/registrations", wish)
        if number % 7 == 0:
            status, answer = who.ask("/registrations", wish)  # the same once more
        if status in {200, 201}:
            self._keys.append(wish["key"])
        elif status == 422:
            self._outcome.refused += 1
        else:
            self._outcome.wrong.append(f"{wish['name']}: {status} {answer}")

    @contextmanager
    def _decided_by_somebody(self) -> Iterator[None]:
        over = threading.Event()

        def decide() -> None:
            while not over.wait(1.0):
                self._decide_all()

        thread = threading.Thread(target=decide, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _decide_all(self) -> None:
        admin = self._people["admin"]
        _, answer = admin.ask("/registrations?state=held")
        for row in answer["items"]:
            word = "decline" if int(row["key"][:8], 16) % 10 == 0 else "approve"
            admin.ask(f"/registrations/{row['key']}/{word}", {"reason": "Somebody has to."})

    def _discard_some(self) -> None:
        rows = [row for row in self._rows() if row["state"] == "succeeded"]
        for row in rows[:: max(1, len(rows) // 10)][:10]:
            key = str(uuid.uuid4())
            wish = {"key": key, "images": [row["image_id"]], "reason": "It was a storm."}
            status, answer = self._people["engineer"].ask("/removals", wish)
            if status in {200, 201}:
                self._removals.append(key)
            elif status != 422:
                self._outcome.wrong.append(f"discarding {row['image_id']}: {status} {answer}")

    def _rows(self) -> list[dict[str, Any]]:
        asked = self._people["engineer"]
        return [asked.ask(f"/registrations/{key}")[1] for key in self._keys]

    def _wait_for_most(self, deadline: float) -> None:
        """Return when most of the requests are over, amid the havoc, or when it is late."""
        left: set[str] = set(self._keys)
        while len(left) > len(self._keys) / 4 and time.monotonic() < deadline:
            time.sleep(2.0)
            left = {key for key in left if not self._is_over(f"/registrations/{key}")}

    def _wait_for_calm(self, havoc: Havoc) -> None:
        deadline = time.monotonic() + CALM_SECONDS
        left: set[str] = set(self._keys)
        gone: set[str] = set(self._removals)
        while (left or gone) and time.monotonic() < deadline:
            time.sleep(2.0)
            havoc.keep_workers()
            left = {key for key in left if not self._is_over(f"/registrations/{key}")}
            gone = {key for key in gone if not self._is_over(f"/removals/{key}")}
            self._say(f"{len(left)} requests and {len(gone)} removals are not over")
        self._outcome.wrong += [f"{key} is not over" for key in sorted(left | gone)]

    def _is_over(self, path: str) -> bool:
        return self._people["engineer"].ask(path)[1]["state"] in OVER

    def _compare(self) -> None:
        made = self._company.made_by()
        discarded = self._discarded()
        for row in self._rows():
            self._outcome.states[row["state"]] += 1
            found = {image["ImageId"] for image in made.pop(row["key"], [])}
            wanted = {row["image_id"]} - discarded if row["state"] == "succeeded" else set()
            if found != wanted:
                self._outcome.wrong.append(
                    f"{row['key']} {row['asked']['name']} {row['state']} {row['error']}: "
                    f"AWS holds {sorted(found)}, not {sorted(wanted)}"
                )
        self._outcome.wrong += [f"{key}: nobody asked for {found}" for key, found in made.items()]
        self._outcome.discarded = len(discarded)

    def _discarded(self) -> set[str]:
        engineer = self._people["engineer"]
        rows = [engineer.ask(f"/removals/{key}")[1] for key in self._removals]
        items = [item for row in rows for item in row["items"]]
        return {item["image_id"] for item in items if item["state"] == "deregistered"}


def _snapshot(image: dict[str, Any]) -> str:
    for device in image.get("BlockDeviceMappings", []):
        if device["DeviceName"] == image.get("RootDeviceName"):
            return str(device.get("Ebs", {}).get("SnapshotId", ""))
    return ""


def _token(demo: Demo, user: str) -> str:
    environment = {**os.environ, "AMIPORTAL_HOME": str(demo.home)}
    for name in ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, "manage.py", "token", user, "storm"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[-1]
