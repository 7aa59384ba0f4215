"""Takes the result of an erasure from the entries of the journal, so that a receipt states nothing else.

Invariant: a field of a receipt that a database writer could edit is replaced by what the entries say, or the receipt
is refused. The acknowledgements of destinations have no entries; they are as the database has them.
"""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import structs

from identity.planning.privacy.erasure_entry import counts_in_entry
from identity.planning.privacy.privacy_requests import ErasureResult
from identity.values.enums import ErasureState, Law, RequestKind
from identity.values.errors import LedgerBroken
from identity.values.stamps import Micros

UNRECORDED: Final = (
    "The journal has no entry for this erasure as the database shows it, so there is no receipt. "
    "The operator has to run onefold verify."
)
_ID, _HASH, _COMMITMENT = 0, 3, 4


def recorded_erasure(
    result: ErasureResult,
    request: Mapping[str, Any] | None,
    outcome: Mapping[str, Any] | None,
    safe_at: Micros | None,
) -> ErasureResult:
    """A finished erasure as the entries of its request and of its outcome have it. LedgerBroken.

    `outcome` is the entry that erased, for a duplicate the one of the other erasure. `request` is None where an older
    version of Onefold wrote none, and its fields are then those of the database.
    """
    if outcome is None:
        raise LedgerBroken(UNRECORDED)
    if request is not None:
        fields = next((each for each in request["erasures"] if each[_ID] == result.id.hex()), None)
        if fields is None or fields[_HASH] not in outcome["hashes"]:
            raise LedgerBroken(UNRECORDED)
        result = structs.replace(
            result,
            kind=RequestKind(request["kind"]),
            regulation=Law(request["regulation"]),
            received_at=request["received_at"],
            commitment=bytes.fromhex(fields[_COMMITMENT]),
        )
    found = bool(outcome["keys"])
    result = structs.replace(result, internal_at=outcome["at"], found=found)
    if result.state == ErasureState.DUPLICATE:
        return result
    counts = counts_in_entry(outcome)
    if "rows" not in outcome and result.counts is not None:
        counts = structs.replace(counts, rows=result.counts.rows, exports=result.counts.exports)
    return structs.replace(
        result, counts=counts, epoch=outcome["epoch"] if found else None, backup_safe_at=safe_at if found else None
    )
