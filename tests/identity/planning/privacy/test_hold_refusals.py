"""The refusal of a lift names the erasure, its request, and both ways out of the wait."""

from identity.planning.privacy.hold_refusals import waits_sentence
from identity.values.ids import ErasureId, RequestId, public


def test_the_sentence_names_the_erasure_the_request_and_both_ways_out() -> None:
    """So that the reader can act without another question."""
    erasure_id, request_id = ErasureId(bytes(range(16))), RequestId(bytes(range(16, 32)))
    text = waits_sentence(erasure_id, request_id)
    for part in (public("ers", erasure_id), public("req", request_id), "DELETE /v1/holds/", "DELETE /v1/regulations/"):
        assert part in text
