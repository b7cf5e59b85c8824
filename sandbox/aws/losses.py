"""The ways in which an image loses its billing code, and those in which it gets a wrong one."""

from collections.abc import Callable, Mapping

from sandbox.aws.billing import without_code
from sandbox.aws.builders import Builder, root_volume
from sandbox.aws.images import snapshots_of
from sandbox.aws.state import Thing

Way = Callable[[Builder, str, str, int], Thing]


def surrogate(build: Builder, name: str, usage_operation: str, age: int) -> Thing:
    """Built on a disk of another machine: its volume never had a code."""
    machine = build.machine("RunInstances", age + 1)
    volume_id = build.volume(machine["InstanceId"], "/dev/xvdf", "", 20, age)
    return _registered(build, name, age, "packer surrogate build", volume_id)


def imported(build: Builder, name: str, usage_operation: str, age: int) -> Thing:
    """Imported from a data centre with VM Import."""
    task = build.new_id("import-snap").removeprefix("import-snap-")
    description = f"Created by AWS-VMImport service for import-snap-{task}"
    return _registered(build, name, age, description, "vol-ffffffff")


def restored(build: Builder, name: str, usage_operation: str, age: int) -> Thing:
    """Restored by a backup tool that writes blocks to a fresh snapshot."""
    origin = build.machine(usage_operation, age + 90)
    return _registered(build, name, age, "Restored by the backup vault", root_volume(origin))


def copier(origin: Builder) -> Way:
    """Make a way: registered from a copy of the snapshot of another account's image."""

    def copied(build: Builder, name: str, usage_operation: str, age: int) -> Thing:
        parent = origin.created(f"{name}-origin", usage_operation, age + 30)
        (snapshot_id,) = snapshots_of(parent)
        description = f"[Copied {snapshot_id} from {build.scope.region}]"
        return _registered(build, name, age, description, "vol-ffffffff")

    return copied


def ways(origin: Builder) -> Mapping[str, Way]:
    return {
        "surrogate": surrogate,
        "import": imported,
        "restore": restored,
        "copy": copier(origin),
    }


def halved(build: Builder, number: int) -> Thing:
    """Windows with SQL Server, of which only Windows is left."""
    age = build.dice.randint(5, 300)
    origin = build.machine("RunInstances:0006", age + 90)
    kept = "RunInstances:0002"
    name = f"win2022-sqlstd-restore-{number:03d}"
    return _registered(build, name, age, "Restored by the backup vault", root_volume(origin), kept)


def reused(build: Builder, number: int) -> Thing:
    """Amazon Linux written over a disk of Red Hat: it is charged for a licence it has not."""
    age = build.dice.randint(5, 300)
    description = "web-al2023, written over an old disk"
    name = f"web-al2023-reuse-{number:03d}"
    return _registered(build, name, age, description, "vol-ffffffff", "RunInstances:0010")


def emptied(image: Thing) -> None:
    """Leave an image without any code: AWS may do that, too."""
    kept = without_code(image)
    image.clear()
    image.update(kept)


def _registered(
    build: Builder, name: str, age: int, description: str, volume_id: str, kept: str | None = None
) -> Thing:
    """An image made by RegisterImage from a snapshot that kept that much of its metadata."""
    image = build.image(name, kept or "RunInstances", age)
    build.root(image, kept, description, volume_id, age)
    return image
