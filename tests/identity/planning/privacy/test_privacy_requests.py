"""A new privacy request: which kinds delete, suppress and reach destinations, and when its callback is due."""

from identity.planning.privacy.privacy_requests import DELETES, DONE_SOON, FORWARDS, NewRequest
from identity.values.enums import SUPPRESSES, Law, RequestInterface, RequestKind
from identity.values.stamps import Micros


def request(callbacks: list[str]) -> NewRequest:
    """A request of OpenDSR with these callbacks."""
    return NewRequest(
        front=RequestInterface.OPENDSR,
        kind=RequestKind.DELETE_ONLY,
        regulation=Law.GDPR,
        identifiers=["user_id:u1"],
        actor="test",
        details={"callbacks": callbacks},
    )


def test_a_callback_is_due_once_most_requests_are_done() -> None:
    """Without an address there is none."""
    assert request(["https://x.org"]).call_at(Micros(5)) == 5 + DONE_SOON
    assert request([]).call_at(Micros(5)) is None


def test_what_is_forwarded_is_deleted_here_as_well() -> None:
    """A destination never deletes a person that Onefold keeps; internal kinds stay inside."""
    assert FORWARDS < DELETES
    assert {kind for kind in DELETES if kind not in FORWARDS} == {kind for kind in DELETES if "INTERNAL" in kind.name}
    assert {kind for kind in SUPPRESSES if "SUPPRESS" not in kind.name} == set()
