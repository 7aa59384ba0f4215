"""The refusals of changes that a litigation hold forbids, and the sentence that names an erasure that waits for one."""

from collections.abc import Sequence

from identity.values.errors import Refused
from identity.values.ids import ErasureId, HoldId, RequestId, public
from identity.values.unknown_names import EntryFault

_LISTED = " GET /v1/holds lists the holds, with a key of the scope privacy."
_NAMED = 5
_NEXT = (
    "Release the hold with DELETE /v1/holds/{hold_id}, which carries out the erasure, or cancel the request with"
    " DELETE /v1/regulations/{request_id}."
)


class UnderHold(Refused):
    """A litigation hold keeps this data, so the data can be neither destroyed nor parted; release the hold first.

    `holds` are the holds that keep it, and `done` says what was changed before one of them was found. The message names
    only how many there are; `named` is for those who may list holds.
    """

    def __init__(self, holds: Sequence[HoldId] = (), done: str = "") -> None:
        self.holds = holds
        self.done = done
        several = len(holds) > 1
        many = f"{len(holds)} litigation holds keep" if several else "A litigation hold keeps"
        super().__init__(self._text(many, f"release the {'holds' if several else 'hold'} first", _LISTED))

    @property
    def named(self) -> str:
        """The message with the ids of the holds."""
        if not self.holds:
            return str(self)
        ids = [public("hld", id_) for id_ in self.holds]
        if len(ids) == 1:
            return self._text(f"The litigation hold {ids[0]} keeps", f"release it first: DELETE /v1/holds/{ids[0]}")
        more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
        names = f"The litigation holds {', '.join(ids[:_NAMED])}{more} keep"
        return self._text(names, "release each first: DELETE /v1/holds/{hold_id}")

    def _text(self, who: str, remedy: str, listed: str = "") -> str:
        text = f"{who} this data, so the data can be neither destroyed nor parted; {remedy}.{listed}"
        return f"{self.done} {text}" if self.done else text


class ErasureWaits(Refused):
    """An erasure of this person waits for a hold, so the suppression stays; release the hold or cancel the erasure."""

    entries: Sequence[EntryFault] = ()


def waits_sentence(erasure_id: ErasureId, request_id: RequestId) -> str:
    """What keeps a suppression in force, and what ends this."""
    named = f"The erasure {public('ers', erasure_id)} of this person, of the request {public('req', request_id)},"
    return f"{named} waits for a hold, so the suppression stays. {_NEXT}"
