"""Free TCP ports."""

import socket


def is_free(host: str, port: int) -> bool:
    with _probe(host) as probe:
        # As the servers do: a port in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def is_own(host: str) -> bool:
    """Say whether a server can listen on `host`."""
    try:
        choose(host, 0)
    except (OSError, UnicodeError):  # a name that can't be one is refused while it is encoded
        return False
    return bool(host)  # the system takes nothing for every address


def choose(host: str, wanted: int) -> int:
    """Return `wanted` if it is free on `host`, else some free port; 0 wants any."""
    if wanted and is_free(host, wanted):
        return wanted
    with _probe(host) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _probe(host: str) -> socket.socket:
    return socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
