"""The one exception of the launcher."""


class LaunchError(Exception):
    """The ranks cannot be started as asked; the message gives the reason and the way out.

    Raised before any rank exists.

    Attributes:
        exit_status: 2, the status with which a command line ends on bad usage.
    """

    exit_status = 2
