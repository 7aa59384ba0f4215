"""Why a process or a space is not ready, where the operator has something to do."""

from identity.values.errors import Busy, KeyUnavailable, Unavailable


class KeysOutdated(KeyUnavailable):
    """The database is older than its keys; the operator has to stop all servers and run onefold keys overlay."""


class SpaceLockDiffers(KeyUnavailable):
    """A row names a key that the key store lacks, or an older one; the operator has to run onefold verify."""


class RolledBack(Unavailable):
    """Rows of a space are gone, or not as its journal records; the operator has to run onefold verify."""


class DestinationPaused(Unavailable):
    """The database was restored, and nobody resumed this destination since; check its policy, then resume it."""


class NotWriting(Unavailable):
    """A queue writer of this process has ended; if it is not replaced soon, the operator has to restart the process."""


class SimulationWaits(Busy):
    """A simulation of this space waits already; wait for its end, then ask again."""
