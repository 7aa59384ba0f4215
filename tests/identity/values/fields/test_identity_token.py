"""The token leaves the body of a call, wherever it stands, and the body of the caller stays as it is."""

from typing import Any

import pytest

from identity.planning.resolution.extract import extract
from identity.planning.resolution.resolution_rules import DEFAULT_RULES
from identity.values.calls import MICRO, Kind, Source
from identity.values.fields.beside_batch import unread_beside_batch
from identity.values.fields.field_names import misspelt_fields, shared_statements
from identity.values.fields.identity_token import drop_misspelt, take_token
from identity.values.stamps import Micros

JWT = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ1MSJ9.c2lnbmF0dXJl"


@pytest.mark.parametrize("token", ["a.b.c", None, 7, {"a": "b"}])
def test_the_token_is_taken_out_of_the_context(token: object) -> None:
    """Whatever stands in its place."""
    context = {"identityToken": token, "ip": "::1"}
    body = {"userId": "u1", "context": context}
    assert take_token(body, context) == ({"userId": "u1", "context": {"ip": "::1"}}, token)
    assert body["context"] == context


@pytest.mark.parametrize(
    "body",
    [
        {"userId": "u1", "identityToken": "a.b.c"},
        {"userId": "u1", "identity_token": "a.b.c", "context": {"ip": "::1"}},
        {"userId": "u1", "context": {"identity_token": "a.b.c", "IdentityToken": "d.e.f"}},
        {"userId": "u1", "context": {"identityTokens": ["a.b.c"]}},
    ],
)
def test_a_misspelt_or_misplaced_token_is_dropped(body: dict[str, Any]) -> None:
    """And nothing else."""
    left = drop_misspelt(body, misspelt_fields(body, body.get("context")))
    assert "a.b.c" not in str(left)
    assert "d.e.f" not in str(left)
    assert left["userId"] == "u1"
    assert (body.get("context") or {}).get("ip") == (left.get("context") or {}).get("ip")


def test_other_misspelt_fields_stay() -> None:
    """They are kept with the call, as every unknown field."""
    body = {"user_id": "u1", "context": {"externalId": []}}
    assert drop_misspelt(body, misspelt_fields(body, body["context"])) is body  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        *(
            ({place: {"identityToken": "odd"}}, f"{place}.identityToken")
            for place in ("traits", "integrations", "options")
        ),
        *(({"context": {name: JWT}}, f"context.{name}") for name in ("idToken", "jwt", "token", "user_token")),
        *(({name: JWT}, name) for name in ("id_token", "jwt", "token")),
        ({"traits": {"jwt": f"Bearer {JWT}"}}, "traits.jwt"),
        ({"context": {"traits": {"identityToken": JWT}}}, "context.traits.identityToken"),
        ({"context": {"user": {"identityToken": JWT}}}, "context.user.identityToken"),
        ({"context": {"cookies": f"a=b; identityToken={JWT}"}}, "context.cookies.identityToken"),
        ({"context": {"dataLayer": [{"identityToken": JWT}]}}, "context.dataLayer.identityToken"),
    ],
)
@pytest.mark.parametrize("kind", ["identify", "group"])
def test_a_token_in_an_odd_place_is_listed_and_never_kept(body: dict[str, Any], path: str, kind: Kind) -> None:
    """Neither with the call nor as a trait; its neighbours are kept."""
    body = {"userId": "u1", "groupId": "g", **body}
    source = Source(1)
    call = extract(body, kind=kind, rules=DEFAULT_RULES, received=Micros(MICRO), sent_at=None, source=source)
    assert call.ignored_fields[path] == "misspelt_field"
    kept = str((call.body, call.traits, call.group_traits))
    assert JWT not in kept
    assert "odd" not in kept
    assert call.body["userId"] == "u1"


def test_a_token_of_another_form_is_the_customers_own() -> None:
    """Under a name that is not the identity token's alone."""
    body: dict[str, dict[str, Any]] = {"traits": {"token": "abc", "jwt": 7}, "context": {"token": "a.b.c"}}
    assert misspelt_fields(body, body["context"]) == []


def test_a_token_beside_a_batch_is_listed_at_each_call() -> None:
    """The body of no call gets the token."""
    assert unread_beside_batch({"batch": [], "identityToken": JWT}) == ["identityToken"]
    assert shared_statements({"batch": [], "identityToken": JWT}) == {}
