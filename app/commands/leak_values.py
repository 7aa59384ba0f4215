"""Random values, planted through a running server everywhere a caller can put one.

Each kind of place has a value of its own, so that a value that is found somewhere names the place it
came in by. Answers that do not give back what was asked for are kept: they must hold none of them.
"""

import json
import re
import secrets
import string
import uuid
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import quote, urlsplit

from app.commands import leak_values_disclosed
from identity.values.errors import DatabaseUnavailable

_LETTERS = string.ascii_lowercase + string.digits
_LENGTH = 24
_ADDRESSES = (
    "user id", "anonymous id", "e-mail", "previous id", "custom identifier", "group id", "message id",
    "device id", "advertising id", "user id of a removed identifier", "blocked user id", "erased e-mail",
    "regulated user id", "user id of an OpenDSR request", "user id of a late erasure",
)  # fmt: skip
_KINDS = (
    *_ADDRESSES, "identifier type", "trait name", "trait value", "nested trait name", "value in a list",
    "group trait name", "group trait value", "event name", "property name", "property value", "consent category",
    "user agent", "address query", "referrer", "context field", "context value", "page name",
    "rejected type", "rejected value", "broken body", "large value", "blocked pattern", "rules in error",
    "looked-up user id", "unknown e-mail", "request path", "request query", "request header", "wrong key",
    "tried value", "simulated pattern", "erasure in error", "export in error", "hold reason", "extension reason",
    "idempotency key", "regulation in error", "controller", "callback address", "OpenDSR extension",
    "OpenDSR request in error",
)  # fmt: skip
_EXPORT = re.compile(rb"exp_[0-9a-f]{32}")
_ERASURE = re.compile(rb"ers_[0-9a-f]{32}")
_OK = 200
_UNKNOWN = 404
_MISSING = (404, 405)
_DSR = "/opendsr/v1/opendsr_requests"


class Canaries:
    """The values by kind, and what a server said that must hold none of them."""

    def __init__(self) -> None:
        self.values = {kind: _token() for kind in (*_KINDS, *leak_values_disclosed.KINDS)}
        # The shortest that are possible numbers; the rest of the number is random.
        self.values["phone"] = "4915" + "".join(secrets.choice("123456789") for _ in range(9))
        self.refusals: list[bytes] = []
        self.not_planted: list[str] = []
        self._mail = f"{self.values['e-mail']}@canary.example"
        self._erased = f"{self.values['erased e-mail']}@canary.example"

    @property
    def hashed(self) -> set[str]:
        """Identifiers as they are normalised, of which no unkeyed hash may lie anywhere."""
        values = {self.values[kind] for kind in _ADDRESSES}
        return values | {self._mail, self._erased, self.values["phone"], "+" + self.values["phone"]}

    def plant(self, ask: Callable[..., tuple[int, bytes]]) -> None:
        """Puts every value where it belongs; `ask(key, method, path, body, headers)` makes a request."""
        self._ask = ask
        for step in (self._person, self._losses, self._rules, self._reads, self._undoing,
                     self._destinations, self._privacy, self._front_doors):  # fmt: skip
            step()

    def erase(self) -> int | None:
        """Has the people erased; how many can still be read. None where there is no way to ask for it."""
        v = self.values
        people = [f"user_id:{v['user id']}", f"email:{self._mail}", f"anonymous_id:{v['anonymous id']}",
                  f"phone:+{v['phone']}", f"user_id:{v['blocked user id']}",
                  f"user_id:{v['user id of a removed identifier']}"]  # fmt: skip
        self._must("profiles", "GET", f"/v1/profiles/{quote(people[0])}")
        asked = self._send("privacy", "POST", "/v1/erasures", {"identifiers": people, "suppress": True})
        if asked in _MISSING:
            return None
        return sum(self._send("profiles", "GET", f"/v1/profiles/{quote(one, safe='')}") != _UNKNOWN for one in people)

    def _send(self, key: str, method: str, path: str, body: Any = None, **headers: str) -> int:
        """One request; what it says is kept where it refuses."""
        status, told = self._ask(key, method, path, body, headers)
        if status >= 400:  # noqa: PLR2004
            self.refusals.append(told)
        return status

    def _must(self, *request: Any) -> None:
        if self._send(*request) // 100 != _OK // 100:
            raise DatabaseUnavailable

    def _if_there_is(self, what: str, *request: Any) -> None:
        """A request that this version may not have yet."""
        if self._send(*request) // 100 != _OK // 100:
            self.not_planted.append(what)

    def _person(self) -> None:
        v = self.values
        context = {
            "userAgent": f"Mozilla/5.0 ({v['user agent']})",
            "page": {"url": f"https://canary.example/?q={v['address query']}", "referrer": v["referrer"]},
            "device": {"id": v["device id"], "advertisingId": v["advertising id"]},
            "externalIds": [
                {"id": v["custom identifier"], "type": v["identifier type"], "collection": "users", "encoding": "none"}
            ],
            "consent": {"categoryPreferences": {v["consent category"]: True}},
            v["context field"]: {"deep": [v["context value"]]},
        }
        traits = {
            "email": self._mail,
            "phone": "+" + v["phone"],
            v["trait name"]: v["trait value"],
            "address": {v["nested trait name"]: [{"x": [v["value in a list"]]}]},
        }
        both = {"userId": v["user id"], "anonymousId": v["anonymous id"], "context": context}
        properties = {v["property name"]: v["property value"]}
        self._must("write", "POST", "/v1/identify", {**both, "traits": traits, "messageId": v["message id"]})
        self._must("write", "POST", "/v1/track", {**both, "event": v["event name"], "properties": properties})
        self._must("write", "POST", "/v1/page", {"anonymousId": v["anonymous id"], "name": v["page name"]})
        group = {v["group trait name"]: v["group trait value"]}
        self._must("write", "POST", "/v1/group", {**both, "groupId": v["group id"], "traits": group})
        self._must("import", "POST", "/v1/alias", {"userId": v["user id"], "previousId": v["previous id"]})
        removed = {"userId": v["user id of a removed identifier"], "traits": {"email": self._erased}}
        self._must("write", "POST", "/v1/identify", removed)

    def _losses(self) -> None:
        v = self.values
        batch = [
            {"type": v["rejected type"], "userId": v["user id"]},
            {"type": "track", "event": {"no": v["rejected value"]}, "userId": [v["rejected value"]]},
            {"type": "identify", "userId": v["user id"], "traits": {"email": v["rejected value"]}},
            {"type": "track", "userId": v["user id"], "event": "x", "properties": {"x": v["large value"] * 2_000}},
        ]
        self._send("write", "POST", "/v1/batch", {"batch": batch})
        self._send("write", "POST", "/v1/identify", f'{{"userId": "{v["broken body"]}'.encode())
        self._send(v["wrong key"], "POST", "/v1/identify", {"userId": v["user id"]})
        self._send("write", "POST", "/v1/profiles/lookup", {"identifiers": [v["rejected value"]]})

    def _rules(self) -> None:
        v = self.values
        blocked = {"user_id": [v["blocked user id"], v["blocked pattern"] + ".*"]}
        self._must("import", "POST", "/v1/identify", {"userId": v["blocked user id"], "traits": {"email": self._mail}})
        self._must("admin", "PUT", "/v1/rules", {"blocked": blocked})
        self._send("admin", "PUT", "/v1/rules", {"blocked": {"email": [v["rules in error"] + "("]}})
        self._must("admin", "POST", "/v1/rules/simulate", {"blocked": {"email": [v["simulated pattern"] + ".*"]}})
        self._send("write", "POST", "/v1/identify", {"userId": v["blocked user id"], "anonymousId": v["anonymous id"]})

    def _reads(self) -> None:
        v = self.values
        for ref in (f"user_id:{v['user id']}", f"email:{self._mail}", f"user_id:{v['looked-up user id']}",
                    f"email:{v['unknown e-mail']}@canary.example", v["request path"]):  # fmt: skip
            for end in ("", "/history", f"/{v['request path']}", f"?{v['request query']}={v['request query']}"):
                self._send("privacy", "GET", f"/v1/profiles/{quote(ref, safe='')}{end}")
        both = f"from=user_id:{v['user id']}&to=anonymous_id:{v['anonymous id']}"
        for path in (f"/{v['request path']}", f"/v1/profiles?cursor={v['request query']}",
                     f"/v1/profiles/user_id:{v['user id']}/explain?{both}", f"/v1/groups/{v['group id']}",
                     f"/v1/exports/{v['request path']}/download?ticket={v['request query']}"):  # fmt: skip
            self._send("admin", "GET", path, None, **{"X-Custom": v["request header"], "User-Agent": v["user agent"]})

    def _undoing(self) -> None:
        v = self.values
        tried = {"type": "identify", "userId": v["tried value"], "traits": {v["tried value"]: v["tried value"]}}
        self._send("import", "POST", "/v1/identities/simulate", tried)
        removed = quote(f"email:{self._erased}", safe="")
        self._must("admin", "DELETE", f"/v1/identifiers/{removed}?block=true")
        anonymous = f"anonymous_id:{v['anonymous id']}"
        self._must("privacy", "POST", "/v1/profiles/unmerge", {"identifiers": [anonymous]})

    def _privacy(self) -> None:
        v = self.values
        self._send("privacy", "POST", "/v1/erasures", {"identifiers": [v["erasure in error"]]})
        self._send("privacy", "POST", "/v1/exports", {"identifiers": [v["export in error"]]})
        late = {"identifiers": [f"user_id:{v['user id of a late erasure']}"], "regulation": "gdpr"}
        _, told = self._ask("privacy", "POST", "/v1/erasures", late, {"Idempotency-Key": v["idempotency key"]})
        extended = f"/v1/erasures/{_ERASURE.findall(told)[0].decode()}/extend"
        self._must("privacy", "POST", extended, {"reason": v["extension reason"]})
        hold = {"identifiers": [f"user_id:{v['looked-up user id']}"], "reason": v["hold reason"]}
        self._must("privacy", "POST", "/v1/holds", hold)
        _, told = self._ask("privacy", "POST", "/v1/exports", {"identifiers": [f"user_id:{v['user id']}"]}, {})
        # Gathered and not fetched: it is there, sealed, when the scan comes.
        self._must("privacy", "GET", f"/v1/exports/{_EXPORT.findall(told)[0].decode()}?wait=30")

    def _front_doors(self) -> None:
        """The same by the doors of others."""
        v = self.values
        regulation = {"regulationType": "SUPPRESS_ONLY", "subjectType": "USER_ID"}
        self._must("privacy", "POST", "/v1/regulations", {**regulation, "subjectIds": [v["regulated user id"]]})
        self._send("privacy", "POST", "/v1/regulations", {**regulation, "subjectType": v["regulation in error"]})
        named = {"identity_type": "controller_customer_id", "identity_format": "raw"}
        asked = {
            "subject_request_type": "erasure",
            "submitted_time": "2026-01-02T03:04:05Z",
            "subject_identities": [{**named, "identity_value": v["user id of an OpenDSR request"]}],
            "controller_id": v["controller"],
            "extensions": {v["OpenDSR extension"]: {v["OpenDSR extension"]: True}},
        }
        callbacks = {"status_callback_urls": [f"https://canary.example/{v['callback address']}"]}
        for more in ({}, callbacks):
            body = {**asked, "subject_request_id": str(uuid.uuid4()), **more}
            self._if_there_is("callback address" if more else "OpenDSR", "privacy", "POST", _DSR, body)
        wrong = [{**named, "identity_type": v["OpenDSR request in error"]}]
        self._send("privacy", "POST", _DSR, {**asked, "subject_identities": wrong})
        self._send("privacy", "GET", f"{_DSR}/{v['OpenDSR request in error']}")

    def _destinations(self) -> None:
        """Where values leave for others, and what allows it."""
        leak_values_disclosed.plant(self.values, self._mail, self._ask, self._must, self._send)


class Caller:
    """Makes requests of a server with the keys of one space."""

    def __init__(self, url: str, keys: dict[str, str]) -> None:
        self._parts, self._keys = urlsplit(url), keys

    def __call__(
        self, key: str, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        """The status of an answer, and its headers and body. `key` is the name of one, or a secret."""
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection = HTTPConnection(self._parts.hostname or "", self._parts.port, timeout=60)
        sent = {"Authorization": f"Bearer {self._keys.get(key, key)}", **(headers or {})}
        try:
            connection.request(method, path, content, sent)
            answer = connection.getresponse()
            return answer.status, repr(answer.getheaders()).encode() + answer.read()
        except (OSError, HTTPException) as error:
            raise DatabaseUnavailable from error
        finally:
            connection.close()


def _token() -> str:
    return secrets.choice(string.ascii_lowercase) + "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH - 1))
