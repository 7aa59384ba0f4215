"""Takes the identity token out of the body of a call, so that nothing that is stored holds the token."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from identity.values.fields.names import MisspeltField
from identity.values.identity_tokens.claims import FIELD

NAME: Final = "identityToken"
_CONTEXT: Final = "context."


def take_token(body: Mapping[str, Any], context: Mapping[str, Any]) -> tuple[dict[str, Any], object]:
    """The body without the token of its context, and the token. The given body stays unchanged."""
    return {**body, "context": {name: value for name, value in context.items() if name != NAME}}, context[NAME]


def drop_misspelt(body: dict[str, Any], misspelt: Iterable[MisspeltField]) -> dict[str, Any]:
    """The body without tokens under other names, or in another place."""
    for each in misspelt:
        if each.right != FIELD:
            continue
        if each.path.startswith(_CONTEXT):
            name = each.path.removeprefix(_CONTEXT)
            body = {**body, "context": {key: value for key, value in body["context"].items() if key != name}}
        else:
            body = {key: value for key, value in body.items() if key != each.path}
    return body
