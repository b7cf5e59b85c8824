"""What can go wrong with the embedded servers, in words for the person at the console."""


class ServerMissing(Exception):
    """Neither the wheel nor the PATH has the server."""


class ServerFailed(Exception):
    """The server did not start; its log says more."""
