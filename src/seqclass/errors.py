"""The one kind of error that is shown to a person without a stack trace."""


class InputError(ValueError):
    """A file, a setting or a text from outside is not usable.

    The message says what was found, where it came from and what is allowed; the command line prints it as it is.
    """
