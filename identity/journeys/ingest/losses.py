"""What a batch did not take, sealed as one row: it is committed with the batch or not at all."""

from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter

from identity.journeys.ingest.read_in import Request
from identity.model import Outcome
from identity.planning.plan import Plan
from identity.planning.refusals import Refusal, of_call, of_item, pack
from identity.spaces import Space
from identity.store.rows import RejectionRow
from identity.vault.seal import REJECTION


def losses(space: Space, requests: Iterable[Request], made: Plan, stamp: int) -> RejectionRow | None:
    """The row of a batch, at the stamp that names it; None where everything was taken."""
    outcomes = iter(made.outcomes)
    refusals = [refusal for request in requests for refusal in _of_request(request, outcomes)]
    if not refusals:
        return None
    payload = space.keys.seal(REJECTION, space.public_id, stamp, pack(refusals))
    return RejectionRow(stamp, len(refusals), payload)


def _of_request(request: Request, outcomes: Iterator[Outcome]) -> Sequence[Refusal]:
    """The refusals of one request in the order of its items; takes its outcomes off."""
    found: list[tuple[int, Refusal]] = []
    for at, call in request.calls:
        outcome = next(outcomes)
        if outcome.status != "accepted" or outcome.demoted or outcome.ignored_traits:
            refusal = of_call(call, outcome, request.received)
            if refusal is not None:
                found.append((at, refusal))
    if len(request.calls) < len(request.items):
        read = {at for at, _ in request.calls}
        for at, (item, rejected) in enumerate(zip(request.items, request.outcomes, strict=True)):
            if at not in read and rejected is not None:
                found.append((at, _rejected(request, item, rejected)))
        found.sort(key=itemgetter(0))
    return [refusal for _, refusal in found]


def _rejected(request: Request, item: object, outcome: Outcome) -> Refusal:
    return of_item(item, outcome, kind=request.kind, source=request.source.key, received=request.received)
