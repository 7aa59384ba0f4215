"""Seals the rejections of a batch as one row, which is committed with the batch or not at all."""

from collections.abc import Iterator, Sequence
from operator import itemgetter

from identity.operations.ingest.request import IngestRequest
from identity.planning.resolution.plan import Plan
from identity.planning.resolution.rejections import StoredRejection, of_call, of_item, pack
from identity.spaces.space import Space
from identity.store.postgres.rows import RejectionRow
from identity.values.calls import Identifier, Outcome
from identity.values.stamps import Stamp
from identity.vault.seal import REJECTION


def rejection_row(space: Space, requests: Sequence[IngestRequest], made: Plan, stamp: Stamp) -> RejectionRow | None:
    """The row of a batch, at the stamp that names the batch; None if every call was accepted in full."""
    taken = all(len(request.calls) == len(request.bodies) for request in requests)
    if taken and not any(_lost(outcome) for outcome in made.outcomes):
        return None
    outcomes = iter(made.outcomes)
    refusals = [refusal for request in requests for refusal in _of_request(space, request, outcomes)]
    if not refusals:
        return None
    payload = space.keys.seal(REJECTION, space.public_id, stamp, pack(refusals))
    return RejectionRow(stamp, len(refusals), payload)


def _of_request(space: Space, request: IngestRequest, outcomes: Iterator[Outcome]) -> Sequence[StoredRejection]:
    """The rejections of one request in the order of its bodies; consumes the outcomes of its calls."""
    found: list[tuple[int, StoredRejection]] = []

    def hash_of(identifier: Identifier) -> bytes:
        return space.keys.suppression(identifier.type, identifier.value)

    for at, call in request.calls:
        outcome = next(outcomes)
        refusal = of_call(call, outcome, request.received, hash_of) if _lost(outcome) else None
        if refusal is not None:
            found.append((at, refusal))
    if len(request.calls) < len(request.bodies):
        read = {at for at, _ in request.calls}
        for at, (body, rejected) in enumerate(zip(request.bodies, request.outcomes, strict=True)):
            if at not in read and rejected is not None:
                found.append((at, _rejected(request, body, rejected)))
        found.sort(key=itemgetter(0))
    return [refusal for _, refusal in found]


def _lost(outcome: Outcome) -> bool:
    return outcome.status != "accepted" or bool(
        outcome.demoted
        or outcome.ignored_traits
        or outcome.ignored_timestamp
        or outcome.mended_values
        or outcome.invalid_signals
        or outcome.ignored_fields
    )


def _rejected(request: IngestRequest, body: object, outcome: Outcome) -> StoredRejection:
    return of_item(body, outcome, kind=request.kind, source=request.source.key_number, received=request.received)
