"""An alias call keeps both readings of its previous id apart from its own identifiers."""

from typing import Any

import pytest

from identity.planning.resolution.extract import extract
from identity.planning.resolution.resolution_rules import DEFAULT_RULES, Rules, compile_rules
from identity.values.calls import Alias, Call, DemotedIdentifier, Identifier, Source
from identity.values.stamps import Micros

PUBLIC, SERVER = Source(1), Source(2, server=True)
OLD = Identifier("user_id", "old"), Identifier("anonymous_id", "old")
NEW = Identifier("user_id", "new")


def read(body: dict[str, Any], rules: Rules = DEFAULT_RULES, source: Source = PUBLIC) -> Call:
    """The alias call in a body."""
    return extract(body, kind="alias", rules=rules, received=Micros(0), sent_at=None, source=source)


@pytest.mark.parametrize(
    ("body", "alias"),
    [
        ({"previousId": "old"}, Alias(*OLD, "user_id", to=NEW)),
        ({"previousId": " old ", "previousIdType": "anonymous_id"}, Alias(*OLD, "anonymous_id", to=NEW)),
        *(
            ({"previousId": "old", "previousIdType": type_}, Alias(*OLD, "anonymous_id", to=NEW))
            for type_ in ("anonymousId", " anonymous-id ", "ANONYMOUS_ID")
        ),
        *(
            ({"previousId": "old", "previousIdType": type_}, Alias(*OLD, "user_id", to=NEW))
            for type_ in ("user_id", "userId", "", None, "email")
        ),
        ({"previousId": "old", "anonymousId": "old "}, Alias(*OLD, "anonymous_id", to=NEW)),
        ({"previousId": "old", "anonymousId": "a1"}, Alias(*OLD, "user_id", to=NEW)),
        ({"anonymousId": "old"}, Alias(user=None, anonymous=OLD[1], assumed="anonymous_id", to=NEW)),
        (
            {"anonymousId": "old", "previousId": None},
            Alias(user=None, anonymous=OLD[1], assumed="anonymous_id", to=NEW),
        ),
        ({}, None),
        ({"previousId": "", "anonymousId": "a1"}, None),
        ({"previousId": "null"}, None),
        ({"previousId": {}}, None),
        ({"anonymousId": "null"}, None),
    ],
)
def test_both_readings_of_a_previous_id_are_kept(body: dict[str, Any], alias: Alias | None) -> None:
    """The assumed reading follows the hints; a blocked reading links nothing."""
    assert read({"userId": "new", **body}).alias == alias


@pytest.mark.parametrize(
    ("body", "identifiers"),
    [
        ({"userId": "new", "previousId": "old"}, ["user_id:new"]),
        ({"userId": "new", "previousId": "old", "anonymousId": "old"}, ["user_id:new", "anonymous_id:old"]),
        ({"userId": "new", "previousId": "old", "anonymousId": "a1"}, ["user_id:new", "anonymous_id:a1"]),
        ({"userId": "new", "anonymousId": "old"}, ["user_id:new"]),
        ({"userId": "new", "previousId": "null", "anonymousId": "a1"}, ["user_id:new", "anonymous_id:a1"]),
        ({"userId": "null", "previousId": "old"}, []),
        ({"userId": "null", "previousId": "a1", "anonymousId": "a1"}, ["anonymous_id:a1"]),
        ({"previousId": "old"}, []),
        ({"anonymousId": "a1"}, ["anonymous_id:a1"]),
    ],
)
def test_the_previous_id_is_no_identifier_of_the_call(body: dict[str, Any], identifiers: list[str]) -> None:
    """The previous id links by alias or not at all; the other identifiers stay identifiers of the call."""
    assert [identifier.text for identifier in read(body).identifiers] == identifiers


@pytest.mark.parametrize("user", ["new", "null", None])
def test_a_blocked_previous_id_is_listed_as_skipped(user: str | None) -> None:
    """With any user id, and without one."""
    call = read({"userId": user, "previousId": "undefined"})
    assert DemotedIdentifier(Identifier("user_id", "undefined"), "blocked") in call.demoted


def test_a_previous_id_blocked_in_one_reading_keeps_the_other() -> None:
    """The other reading may name a known profile."""
    users = compile_rules({"blocked": {"user_id": ["old"]}}, 1)
    anonymous = compile_rules({"blocked": {"anonymous_id": ["old"]}}, 1)
    body = {"userId": "new", "previousId": "old"}
    assert read(body, rules=users).alias == Alias(user=None, anonymous=OLD[1], assumed="user_id", to=NEW)
    assert read(body, rules=anonymous).alias == Alias(user=OLD[0], anonymous=None, assumed="user_id", to=NEW)


@pytest.mark.parametrize(
    ("force", "source", "forced"),
    [
        (True, SERVER, True),
        (True, PUBLIC, False),
        ("true", SERVER, False),
        (1, SERVER, False),
        (None, SERVER, False),
    ],
)
def test_only_a_server_side_key_forces_an_alias(force: object, source: Source, *, forced: bool) -> None:
    """And only with the value true."""
    alias = read({"userId": "new", "previousId": "old", "force": force}, source=source).alias
    assert alias == Alias(*OLD, "user_id", forced, NEW)
