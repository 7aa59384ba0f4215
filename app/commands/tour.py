"""The guided tour: five calls against a running server, each shown as the curl command it is.

The README shows the same calls; a test runs both. What a step prints is what the server answered.
"""

import json
import shlex
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from identity.values.errors import DatabaseUnavailable


class Step(NamedTuple):
    """One call of the tour. `key` names the key it is made with."""

    says: str
    key: str
    method: str
    path: str
    body: dict[str, Any] | None = None
    prefer: bool = False


STEPS = (
    Step(
        "An anonymous visitor looks at a page. This is all a browser or phone would send.",
        "write",
        "POST",
        "/v1/track",
        {"anonymousId": "a1", "event": "Pricing Viewed", "messageId": "tour-1"},
    ),
    Step(
        "She signs up on that device. Now the visitor has a name, and the two ids are one person.",
        "write",
        "POST",
        "/v1/identify",
        {
            "userId": "ann",
            "anonymousId": "a1",
            "traits": {"email": "ann@example.org", "plan": "pro"},
            "messageId": "tour-2",
        },
    ),
    Step(
        "Any service reads the profile by any identifier, at once, in any spelling of it.",
        "profiles",
        "GET",
        "/v1/profiles/email:Ann@Example.org",
    ),
    Step(
        "On a second device she is anonymous until she types her e-mail. A server key sees the outcome of each "
        "call: here, two profiles merge.",
        "import",
        "POST",
        "/v1/batch",
        {
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
    Step(
        "Why are these one person? The path through the evidence names the calls behind each link.",
        "admin",
        "GET",
        "/v1/profiles/user_id:ann/explain?from=anonymous_id:a1&to=anonymous_id:a2",
    ),
)


class Played(NamedTuple):
    """A step as it went: the curl command with the key's variable, the status and the answer."""

    step: Step
    command: str
    status: int
    answer: Any


def command(step: Step, url: str) -> str:
    """The step as a curl command; keys stand in variables named after them."""
    parts = ["curl -s", f'-u "${step.key.upper()}:"']
    if step.prefer:
        parts.append("-H 'Prefer: return=representation'")
    if step.body is not None:
        parts.append(f"-d {shlex.quote(json.dumps(step.body))}")
    return " ".join([*parts, shlex.quote(url + step.path)])


def play(url: str, keys: Mapping[str, str]) -> Iterator[Played]:
    """Makes the calls of the tour one after the other."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=30)
    for step in STEPS:
        headers = {"Authorization": f"Bearer {keys[step.key]}"}
        if step.prefer:
            headers["Prefer"] = "return=representation"
        body = None if step.body is None else json.dumps(step.body)
        connection.request(step.method, step.path, body, headers)
        answer = connection.getresponse()
        yield Played(step, command(step, url), answer.status, json.loads(answer.read()))
    connection.close()


def create_space(url: str, admin_token: str, name: str) -> dict[str, Any]:
    """A new space on a running server, with its keys."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=30)
    headers = {"Authorization": f"Bearer {admin_token}"}
    connection.request("POST", "/v1/spaces", json.dumps({"name": name}), headers)
    answer = connection.getresponse()
    made = json.loads(answer.read())
    connection.close()
    if answer.status != 201:  # noqa: PLR2004
        raise DatabaseUnavailable
    return dict(made)
