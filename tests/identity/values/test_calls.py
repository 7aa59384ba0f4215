"""A call: the identifiers that it names, demoted ones included."""

from identity.planning.resolution.resolution_rules import compile_rules
from identity.values.calls import ACTS, KINDS, STORED_KINDS, Call, demoted_identifiers
from tests.support.planning.read_calls import read

RULES = compile_rules({"blocked": {"user_id": ["u1"]}}, 1)


def test_a_value_that_is_no_identifier_names_nobody() -> None:
    """A blocked identifier does."""
    call = read({"type": "track", "event": "E", "userId": "u1", "anonymousId": [], "context": {
        "traits": {"email": "no address"}}}, RULES, 0)  # fmt: skip
    assert isinstance(call, Call)

    assert [each.text for each in demoted_identifiers(call)] == ["user_id:u1"]
    assert len(call.demoted) == 3


def test_the_stored_number_of_a_kind_never_changes() -> None:
    """Rows hold the position: append only."""
    assert STORED_KINDS == (
        "identify", "track", "page", "screen", "group", "alias", "leave", "unmerge", "remove", "consent",
        "confirm", "refuse",
    )  # fmt: skip
    assert {*KINDS, *ACTS} < {*STORED_KINDS}
