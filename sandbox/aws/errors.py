"""AWS's errors."""


class Refused(Exception):
    """An error that AWS answers with. Callers branch on the code, never on the status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
