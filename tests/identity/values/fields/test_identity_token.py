"""The token leaves the body of a call, wherever it stands, and the body of the caller stays as it is."""

from typing import Any

import pytest

from identity.values.fields.field_names import misspelt_fields
from identity.values.fields.identity_token import drop_misspelt, take_token


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
