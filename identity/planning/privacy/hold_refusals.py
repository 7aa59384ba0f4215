"""The refusals of changes that a litigation hold forbids, and the sentence that names an erasure that waits for one."""

from collections.abc import Sequence

from identity.values.errors import Refused
from identity.values.ids import ErasureId, RequestId, public
from identity.values.unknown_names import EntryFault

_NEXT = (
    "Release the hold with DELETE /v1/holds/{hold_id}, which carries out the erasure, or cancel the request with"
    " DELETE /v1/regulations/{request_id}."
)


class UnderHold(Refused):
    """A litigation hold keeps this data, so the data can be neither destroyed nor parted; release the hold first."""


class ErasureWaits(Refused):
    """An erasure of this person waits for a hold, so the suppression stays; release the hold or cancel the erasure."""

    entries: Sequence[EntryFault] = ()


def waits_sentence(erasure_id: ErasureId, request_id: RequestId) -> str:
    """What keeps a suppression in force, and what ends this."""
    named = f"The erasure {public('ers', erasure_id)} of this person, of the request {public('req', request_id)},"
    return f"{named} waits for a hold, so the suppression stays. {_NEXT}"
