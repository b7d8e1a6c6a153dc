"""What is shown to a person without a stack trace."""

import signal


class InputError(ValueError):
    """A file, a setting or a text from outside is not usable.

    The message says what was found, where it came from and what is allowed; the command line prints it as it is.
    """


class Interrupted(BaseException):
    """A signal has ended a command. Not an `Exception`: nothing is to go on as if a step had failed.

    Args:
        number: the signal's.
        message: what has become of the work.

    Attributes:
        signal: which one.
        status: what the process exits with, by the custom of shells.
    """

    def __init__(self, number: int, message: str = "") -> None:
        super().__init__(message)
        self.signal = signal.Signals(number)
        self.status = 128 + number
