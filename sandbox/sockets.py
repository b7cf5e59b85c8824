"""Unix sockets in private folders of their own.

A socket's path has at most 107 bytes, and the path of a home may be longer: so the folders are
among the temporary files. A note in the home holds the path of the socket.
"""

import tempfile
from pathlib import Path

_PREFIX = "amiportal-"
_LONGEST = 107
_SHORT = Path("/tmp")  # noqa: S108  # where the system's own folder has too long a name


def new_socket(note: Path, name: str) -> Path:
    """Return where a server may put its socket, in a folder that only we can enter.

    The folder that `note` names already was left over by a server that was killed; it goes.
    """
    forget_socket(note)
    socket = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_parent(name))) / name
    note.write_text(str(socket))
    return socket


def noted_socket(note: Path) -> Path | None:
    try:
        text = note.read_text()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return Path(text) if text.startswith("/") else None


def forget_socket(note: Path) -> None:
    """Remove the folder of the socket that `note` names, and the note."""
    socket = noted_socket(note)
    if socket and socket.parent.name.startswith(_PREFIX):
        _remove(socket.parent)
    note.unlink(missing_ok=True)


def _remove(folder: Path) -> None:
    """Remove a folder of sockets, and none that holds anything else: a note may be wrong."""
    try:
        found = list(folder.iterdir())
        if all(entry.is_socket() or entry.name.endswith(".lock") for entry in found):
            for entry in found:
                entry.unlink()
            folder.rmdir()
    except OSError:
        return  # it is gone, or belongs to somebody else


def _parent(name: str) -> Path:
    usual = Path(tempfile.gettempdir())
    length = len(f"{usual}/{_PREFIX}12345678/{name}".encode())
    return usual if length <= _LONGEST else _SHORT
