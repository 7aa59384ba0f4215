"""Why a request about the keys that sign identity tokens is refused."""

from identity.values.errors import BadInput, NotFound, Refused


class BadIdentityKey(BadInput):
    """The identity key is not valid; correct it and send it again."""

    code = "invalid_identity_key"


class IdentityKeyNotFound(NotFound):
    """There is no such identity key."""


class TooManyIdentityKeys(Refused):
    """Two identity keys are in force, which is the limit; end the one that your servers no longer use."""
