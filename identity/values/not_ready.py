"""Why a process is not ready, where the operator has something to do; only /readyz answers with these errors."""

from identity.values.errors import KeyUnavailable, Unavailable


class KeysOutdated(KeyUnavailable):
    """The database was restored and is older than its keys; stop all servers and run onefold keys overlay."""


class NotWriting(Unavailable):
    """A queue writer of this process has ended; if it is not replaced soon, the operator has to restart the process."""
