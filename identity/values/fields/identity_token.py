"""Takes the identity token out of the body of a call, so that nothing that is stored holds the token.

A token under its own name is one in every place. Under another name (`jwt`, `idToken`) a text is one by its form, since
a `token` of another form may be a value of the customer's own.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from identity.values.fields.names import MisspeltField, bare
from identity.values.identity_tokens.claims import FIELD

NAME: Final = "identityToken"
_OWN_NAME: Final = re.compile("identitytokens?")
_OTHER_NAME: Final = re.compile("(?:id|identity|user|auth|signed|onefold|session)*(?:token|jwt)s?")
_FORM: Final = re.compile(r"\s*(?:Bearer\s+)?eyJ[\w=-]*\.[\w=-]+\.[\w=-]*\s*")


def take_token(body: Mapping[str, Any], context: Mapping[str, Any]) -> tuple[dict[str, Any], object]:
    """The body without the token of its context, and the token. The given body stays unchanged."""
    return {**body, "context": {name: value for name, value in context.items() if name != NAME}}, context[NAME]


def is_token_name(letters: str) -> bool:
    """Whether a name without its punctuation may be that of a token."""
    return letters.endswith(("token", "tokens", "jwt", "jwts")) and _OTHER_NAME.fullmatch(letters) is not None


def is_token(name: str, value: object) -> bool:
    """Whether a member with the name of a token is one: by its own name, or by the form of its text."""
    return _OWN_NAME.fullmatch(bare(name)) is not None or (
        isinstance(value, str) and _FORM.fullmatch(value) is not None
    )


def drop_misspelt(body: dict[str, Any], misspelt: Iterable[MisspeltField]) -> dict[str, Any]:
    """The body without tokens under other names, or in another place."""
    for each in misspelt:
        if each.right == FIELD:
            body = _without(body, each.path)
    return body


def _without(members: dict[str, Any], path: str) -> dict[str, Any]:
    """An object without the member of a path; the name of a member may hold a dot itself."""
    return {
        name: _reduced(value, path[len(name) + 1 :]) if path.startswith(f"{name}.") else value
        for name, value in members.items()
        if name != path and not (isinstance(value, str) and path.startswith(f"{name}."))
    }


def _reduced(value: object, path: str) -> object:
    if isinstance(value, list):
        return [_reduced(each, path) for each in value]
    return _without(value, path) if isinstance(value, dict) else value
