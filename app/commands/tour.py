"""The guided tour: five calls to a running server, each shown as a curl command with its answer.

The README shows the same calls; a test runs both.
"""

import json
import shlex
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from identity.values.errors import DatabaseUnavailable


class TourStep(NamedTuple):
    """One call of the tour. `key` names the API key of the call."""

    text: str
    key: str
    method: str
    path: str
    body: dict[str, Any] | None = None
    prefer: bool = False


STEPS = (
    TourStep(
        text="An anonymous visitor looks at a page. This is all a browser or phone would send.",
        key="write",
        method="POST",
        path="/v1/track",
        body={"anonymousId": "a1", "event": "Pricing Viewed", "messageId": "tour-1"},
    ),
    TourStep(
        text="She signs up on that device, and your server sends who she is. Now the visitor has a name, and the two "
        "ids are one person.",
        key="import",
        method="POST",
        path="/v1/identify",
        body={
            "userId": "ann",
            "anonymousId": "a1",
            "traits": {"email": "ann@example.org", "plan": "pro"},
            "messageId": "tour-2",
        },
    ),
    TourStep(
        text="Any service reads the profile at once, by any identifier, in upper or lower case.",
        key="profiles",
        method="GET",
        path="/v1/profiles/email:Ann@Example.org",
    ),
    TourStep(
        text="On a second device she is anonymous until she types her e-mail. A server key sees the outcome of each "
        "call: here, two profiles merge.",
        key="import",
        method="POST",
        path="/v1/batch",
        body={
            "batch": [
                {"type": "page", "anonymousId": "a2", "messageId": "tour-3"},
                {
                    "type": "identify",
                    "anonymousId": "a2",
                    "traits": {"email": "ann@example.org"},
                    "messageId": "tour-4",
                },
            ]
        },
        prefer=True,
    ),
    TourStep(
        text="Why are these one person? The explanation names the calls behind each link.",
        key="admin",
        method="GET",
        path="/v1/profiles/user_id:ann/explain?from=anonymous_id:a1&to=anonymous_id:a2",
    ),
)


class PlayedStep(NamedTuple):
    """A step that was made: its curl command, the status and the answer."""

    step: TourStep
    command: str
    status: int
    answer: Any


def command(step: TourStep, url: str) -> str:
    """Return the step as a curl command; each key is in a shell variable named after it."""
    parts = ["curl -s", f'-u "${step.key.upper()}:"']
    if step.prefer:
        parts.append("-H 'Prefer: return=representation'")
    if step.body is not None:
        parts.append(f"-d {shlex.quote(json.dumps(step.body))}")
    return " ".join([*parts, shlex.quote(url + step.path)])


def play(url: str, keys: Mapping[str, str]) -> Iterator[PlayedStep]:
    """Make the calls of the tour one after the other."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=30)
    for step in STEPS:
        headers = {"Authorization": f"Bearer {keys[step.key]}"}
        if step.prefer:
            headers["Prefer"] = "return=representation"
        body = None if step.body is None else json.dumps(step.body)
        connection.request(step.method, step.path, body, headers)
        answer = connection.getresponse()
        yield PlayedStep(step, command(step, url), answer.status, json.loads(answer.read()))
    connection.close()


class TourSpace(Struct):
    """A space with the secrets of its keys, by purpose; `toured` once the whole tour was played in it."""

    space_id: str
    name: str
    keys: dict[str, str]
    toured: bool = False


def create_space(url: str, admin_token: str, name: str) -> TourSpace:
    """Create a space on a running server; returns it with its keys."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=30)
    headers = {"Authorization": f"Bearer {admin_token}"}
    connection.request("POST", "/v1/spaces", json.dumps({"name": name}), headers)
    answer = connection.getresponse()
    made = answer.read()
    connection.close()
    if answer.status != 201:  # noqa: PLR2004
        raise DatabaseUnavailable(f"The server answered {answer.status} instead of creating a space; see its log.")
    return msgspec.json.decode(made, type=TourSpace)
