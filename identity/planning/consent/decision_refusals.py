"""The refusal of a decision that is older than the erasure of its person."""

from identity.values.errors import Refused


class BeforeErasure(Refused):
    """The decision is older than an erasure of the person, so Onefold records nothing; send a later decision."""
