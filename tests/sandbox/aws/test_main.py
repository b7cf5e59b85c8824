"""The simulated AWS as the demo starts it: a process of its own."""

import http.client
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from botocore.exceptions import BotoCoreError

from sandbox.aws.catalog import MANAGEMENT
from sandbox.aws.state import State
from sandbox.ports import choose
from tests.sandbox.aws.things import becomes, client

DEVELOPERS = "903318846125"


@dataclass
class Process:
    popen: subprocess.Popen[bytes]
    url: str

    def end(self, number):
        self.popen.send_signal(number)
        return self.popen.wait(timeout=20)

    def is_up(self):
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=2)
        try:
            connection.request("GET", "/_sandbox/health")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()


@contextmanager
def running(state_file):
    port = choose("127.0.0.1", 0)
    command = [sys.executable, "-m", "sandbox.aws", "--port", str(port), "--state", state_file]
    with subprocess.Popen(command) as popen:
        process = Process(popen, f"http://127.0.0.1:{port}")
        try:
            assert becomes(process.is_up, seconds=30)
            yield process
        finally:
            popen.kill()


@pytest.fixture
def state_file(tmp_path):
    return tmp_path / "aws-state.json"


def developers(process):
    return client(process, account=DEVELOPERS, region="us-east-1")


def golden(ec2):
    wanted = [{"Name": "tag:Name", "Values": ["golden-rhel9-root"]}]
    return ec2.describe_snapshots(OwnerIds=["self"], Filters=wanted)["Snapshots"][0]["SnapshotId"]


def test_it_seeds_the_company_and_goes_on_with_it_after_being_killed(state_file):
    with running(state_file) as process:
        ec2 = developers(process)
        snapshot_id = golden(ec2)
        image_id = ec2.register_image(
            Name="after",
            RootDeviceName="/dev/xvda",
            BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot_id}}],
        )["ImageId"]
        process.end(signal.SIGKILL)

    with running(state_file) as process:
        ec2 = developers(process)
        wanted = [{"Name": "image-id", "Values": [image_id]}]
        is_there = becomes(lambda: ec2.describe_images(Filters=wanted)["Images"])
        again = golden(ec2)

    assert is_there
    assert again == snapshot_id


def test_it_behaves_as_aws_does(state_file):
    with running(state_file) as process:
        ec2 = developers(process)
        device = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": golden(ec2)}}
        ec2.register_image(Name="late", RootDeviceName="/dev/xvda", BlockDeviceMappings=[device])
        wanted = [{"Name": "name", "Values": ["late"]}]
        at_once = ec2.describe_images(Owners=["self"], Filters=wanted)["Images"]
        throttled = any(is_throttled(ec2) for _ in range(200))

    assert at_once == []
    assert throttled


def is_throttled(ec2):
    try:
        ec2.describe_volumes(DryRun=True)
    except ec2.exceptions.ClientError as error:
        return error.response["Error"]["Code"] == "RequestLimitExceeded"
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
def test_it_ends_when_it_is_told_to(state_file, number):
    with running(state_file) as process:
        code = process.end(number)

    assert code == 0
    assert not process.is_up()


def test_what_was_answered_survives_a_kill_in_the_middle_of_writing(state_file):
    with running(state_file) as process, ThreadPoolExecutor(8) as pool:
        ec2 = developers(process)
        snapshot_id = golden(ec2)
        answered = []

        def tag(number):
            key = f"k{number}"
            try:
                ec2.create_tags(Resources=[snapshot_id], Tags=[{"Key": key, "Value": ""}])
            except BotoCoreError:
                return
            answered.append(key)
            if len(answered) == 12:
                process.popen.kill()

        list(pool.map(tag, range(40)))
    state = State()

    state.load(state_file)

    kept = {item["Key"] for item in state.things["snapshots"][snapshot_id]["Tags"]}
    assert set(answered) <= kept
    assert len(answered) >= 12
    assert state.accounts[MANAGEMENT]["IsManagement"]
