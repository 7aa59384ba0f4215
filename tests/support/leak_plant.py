"""Plants random values everywhere a caller can put one, and keeps every answer to look through.

What calls may carry goes through every route once: accepted, merged, rejected, refused, unreadable,
too large, looked up, not found, raced by two writers, and with Postgres killed meanwhile.
"""

import gzip
import json
import secrets
import socket
import string
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

_LETTERS = string.ascii_letters + string.digits
_IDENTIFIERS = (("user_id", "user"), ("anonymous_id", "anonymous"), ("email", "email"))
_SMALL = string.ascii_lowercase + string.digits


class Plant:
    """Values by name, and what the server answered where it refused."""

    def __init__(self, url: str, keys: dict[str, str], admin_token: str) -> None:
        self.values: dict[str, str] = {}
        self.hashed: set[str] = set()
        self.accepted = 0
        self.refusals: list[tuple[str, int, bytes]] = []
        self._url, self._keys, self._token = url, keys, admin_token
        self._client = httpx.Client(base_url=url, timeout=60)

    def close(self) -> None:
        """Hangs up."""
        self._client.close()

    def new(self, name: str, *, small: bool = False, hashed: bool = False) -> str:
        """A fresh token of 24 letters and digits under a name of its own."""
        letters = _SMALL if small else _LETTERS
        name = f"{name} {len(self.values)}"
        token = self.values[name] = "z" + "".join(secrets.choice(letters) for _ in range(23))
        if hashed:
            self.hashed |= {token, token.lower()}
        return token

    def digits(self, name: str, count: int, before: str = "") -> str:
        """A fresh run of digits."""
        token = before + "".join(secrets.choice("23456789") for _ in range(count))
        self.values[f"{name} {len(self.values)}"] = token.lstrip("+")
        return token

    def ask(
        self, key: str, method: str, path: str, body: Any = None, *, raw: bytes | None = None, **headers: str
    ) -> httpx.Response:
        """One request. A refusal is kept with its headers, to be searched."""
        secret = {"operator": self._token, **self._keys}.get(key, key)
        content = raw if raw is not None else None if body is None else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {secret}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        answer = self._client.request(method, path, content=content, headers=sent)
        if answer.status_code >= 400:
            told = answer.content + repr(answer.headers.multi_items()).encode()
            self.refusals.append((f"{method} {path[:14]}", answer.status_code, told))
        elif path.startswith("/v1/") and method == "POST":
            self.accepted += 1
        return answer

    # What is accepted.

    def person(self) -> dict[str, str]:
        """Somebody with every kind of identifier, trait, group, consent and context."""
        new = self.new
        device, type_ = new("device id", hashed=True), new("identifier type", small=True)
        who = {
            "user": new("user id", hashed=True),
            "anonymous": new("anonymous id", hashed=True),
            "email": f"{new('e-mail', hashed=True)}@{new('e-mail domain', small=True)}.example",
            "phone": self.digits("phone", 9, "+4915"),
            "group": new("group id", hashed=True),
        }
        self.hashed |= {who["email"].lower(), who["phone"], who["phone"].lstrip("+"), who["email"]}
        self.hashed |= {f"user_id:{who['user']}", f"email:{who['email'].lower()}"}
        context: dict[str, Any] = {
            "ip": f"2001:db8:{secrets.token_hex(2)}::{self.digits('ip', 4)}:{self.digits('ip', 4)}",
            "userAgent": f"Mozilla/5.0 ({new('user agent')})",
            "page": {"url": f"https://shop.example/?q={new('page query')}", "referrer": new("referrer")},
            "device": {"id": device, "advertisingId": new("advertising id", hashed=True), "token": new("push token")},
            "externalIds": [
                {"id": new("external id", hashed=True), "type": type_, "collection": "users", "encoding": "none"}
            ],
            "consent": {"categoryPreferences": {new("consent category"): True, new("consent category"): False}},
            "traits": {new("context trait"): new("context trait value")},
            new("context field"): {"deep": [new("context value")]},
        }
        # Too short to mean anything alone; the whole address is planted instead.
        self.values = {name: value for name, value in self.values.items() if not name.startswith("ip ")}
        self.values[f"ip {len(self.values)}"] = context["ip"]
        traits = {
            "email": who["email"],
            "phone": who["phone"],
            new("trait name"): new("trait value"),
            "address": {"street": new("nested trait value"), new("nested trait name"): [{"x": new("trait in a list")}]},
            "name": new("name"),
            "bio": new("long trait value") + "x" * 20_000,
        }
        base = {"userId": who["user"], "anonymousId": who["anonymous"], "context": context}
        self.ask(
            "write", "POST", "/v1/identify", {**base, "traits": traits, "messageId": new("message id", hashed=True)}
        )
        self.ask(
            "write",
            "POST",
            "/v1/track",
            {
                "anonymousId": who["anonymous"],
                "event": new("event name"),
                "messageId": new("message id"),
                "properties": {
                    new("property name"): new("property value"),
                    "email": f"{new('property e-mail')}@x.example",
                },
                "timestamp": "2026-01-01T00:00:00Z",
                "integrations": {new("integration"): True},
            },
        )
        self.ask(
            "write",
            "POST",
            "/v1/page",
            {
                "anonymousId": who["anonymous"],
                "name": new("page name"),
                "category": new("page category"),
                new("unknown field"): new("unknown value"),
            },
        )
        self.ask("write", "POST", "/v1/screen", {"userId": who["user"], "name": new("screen name")})
        self.ask(
            "write",
            "POST",
            "/v1/group",
            {
                **base,
                "groupId": who["group"],
                "traits": {new("group trait name"): new("group trait value"), "name": new("group name")},
            },
        )
        return who

    def merges(self, one: dict[str, str], other: dict[str, str]) -> None:
        """Aliases and merges between two people, over the server's key."""
        new = self.new
        items = [
            {"type": "alias", "userId": one["user"], "previousId": new("previous id", hashed=True)},
            {"type": "alias", "userId": one["user"], "previousId": other["anonymous"]},
            {"type": "screen", "anonymousId": (stray := new("anonymous id", hashed=True)), "name": new("screen name")},
            {"type": "identify", "anonymousId": stray, "traits": {"email": one["email"]}},
            {"type": "identify", "userId": one["user"], "traits": {"email": other["email"].upper()}},
            {"type": "identify", "traits": {new("trait of nobody"): 1}},
            {"type": new("bad type"), "userId": new("user of a bad call")},
            {"type": "track", "event": new("event"), "userId": {"no": new("bad user id")}},
            {
                "type": "track",
                "userId": new("user of a large call"),
                "event": "x",
                "properties": {"x": new("large") * 2000},
            },
            {
                "type": "identify",
                "userId": new("user of many traits"),
                "traits": {new("many") + str(n): n for n in range(400)},
            },
            {
                "type": "identify",
                "userId": new("user"),
                "traits": {"email": new("no e-mail"), "phone": new("no phone")},
            },
            new("item that is text"),
        ]
        batch = {"batch": items, "context": {"campaign": new("envelope context")}, "sentAt": new("sent at")}
        for key, path in (("import", "/v1/batch"), ("import", "/v1/import"), ("write", "/v1/batch")):
            self.ask(key, "POST", path, batch, Prefer="return=representation")
        packed = gzip.compress(json.dumps({"userId": one["user"], "event": new("packed event")}).encode())
        self.ask("write", "POST", "/v1/track", raw=packed, Content_Encoding="gzip")

    def losses(self, who: dict[str, str]) -> None:
        """Calls that are not taken, or not whole, and the list of them."""
        new = self.new
        messages = [new(f"message id of a call that is {lost}", hashed=True) for lost in ("bad", "single", "nobody's")]
        bad, single, nobody = messages
        items = [
            {"type": new("bad type"), "messageId": bad, "userId": who["user"]},
            {"type": "track", "messageId": nobody, "context": {"traits": {"email": new("no e-mail")}}},
            {"type": "track", "messageId": new("message id"), "userId": "null", "anonymousId": who["anonymous"]},
        ]
        self.ask("write", "POST", "/v1/batch", {"batch": items})
        self.ask("write", "POST", "/v1/track", {"messageId": single, "userId": who["user"], "context": new("text")})
        ignored = [new("trait name without room") for _ in range(6)]
        for name in ignored:
            # Each takes a fifth of a document, so that the last ones find no room.
            self.ask("write", "POST", "/v1/identify", {"userId": who["user"], "traits": {name: "x" * 30_000}})
        told = self.ask("admin", "GET", "/v1/rejections?limit=1000").text
        assert [name for name in (*messages, ignored[-1]) if name not in told] == []
        for query in (f"since={new('bad time')}", f"cursor={new('bad cursor')}", f"limit={new('bad limit')}"):
            self.ask("admin", "GET", f"/v1/rejections?{query}")

    def race(self) -> None:
        """The same new people from many connections at once, so that unique keys collide."""
        users = [self.new("raced user", hashed=True) for _ in range(6)]

        def send(number: int) -> None:
            body = {"userId": users[number % 6], "traits": {"email": f"{users[number % 6]}@race.example"}}
            self.ask("write", "POST", "/v1/identify", body | {"messageId": users[number % 6] + str(number % 12)})

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(send, range(96)))

    def rules(self, who: dict[str, str]) -> None:
        """Rules that name people, and calls that meet them."""
        new = self.new
        blocked = new("blocked value")
        document = {
            "limits": {new("limit type", small=True): {"max": 3, "days": 7}},
            "priority": ["user_id", new("priority type", small=True)],
            "blocked": {
                "user_id": [blocked, new("blocked pattern") + ".*"],
                "*": [new("blocked everywhere")],
                new("blocked type", small=True): ["x"],
            },
        }
        self.ask("admin", "PUT", "/v1/rules", document)
        self.ask("admin", "GET", "/v1/rules")
        self.ask("import", "POST", "/v1/identify", {"userId": blocked, "anonymousId": who["anonymous"]})
        for bad in (
            {"limits": {new("bad limit type"): {"max": new("bad limit")}}},
            {"blocked": {"email": [new("bad pattern") + "("]}},
            {"blocked": {new("bad blocked type") + "!": ["x"]}},
            {"priority": [new("bad priority") + " "], new("bad field"): 1},
            {"region": new("bad region")},
            [new("rules in a list")],
        ):
            self.ask("admin", "PUT", "/v1/rules", bad)

    def undoing(self, who: dict[str, str]) -> None:
        """Explaining, trying out, parting, removing and rebuilding, with values everywhere they may stand."""
        new = self.new
        user, device, mail = (f"{kind}:{who[name]}" for kind, name in _IDENTIFIERS)
        unknown = f"user_id:{new('unknown user')}"
        ends = [(user, mail), (user, unknown), (new("no identifier"), user), (device, mail)]
        for start, end in ends:
            query = f"from={quote(start)}&to={quote(end)}"
            self.ask("privacy", "GET", f"/v1/profiles/{quote(user)}/explain?{query}")
        for ref in (user, unknown, new("no identifier")):
            self.ask("admin", "GET", f"/v1/profiles/{quote(ref)}/graph")
            self.ask("admin", "GET", f"/v1/profiles/{quote(ref)}/graph", Accept="image/svg+xml")
        tried = {"type": "identify", "userId": new("tried user"), "traits": {new("tried trait"): new("tried value")}}
        self.ask("import", "POST", "/v1/identities/simulate", tried)
        self.ask("import", "POST", "/v1/identities/simulate", {"type": new("tried type"), "userId": new("tried user")})
        for named in ([device], [unknown], [user, unknown], [new("no identifier")], new("no list")):
            self.ask("privacy", "POST", "/v1/profiles/unmerge", {"identifiers": named})
        for ref in (mail, unknown, new("no identifier")):
            self.ask("privacy", "DELETE", f"/v1/identifiers/{quote(ref, safe='')}?block=true")
        self.ask("admin", "DELETE", f"/v1/identifiers/{quote(user, safe='')}?block={new('no answer')}")
        candidate = {"blocked": {"*": [who["user"], new("candidate pattern") + ".*"]}}
        self.ask("admin", "POST", "/v1/rules/simulate", candidate)
        self.ask("admin", "POST", "/v1/rules/simulate", {"region": new("bad region")})
        job = self.ask("admin", "POST", "/v1/rules/rebuild").json()["job_id"]
        assert self.ask("admin", "GET", f"/v1/jobs/{job}?wait=30").json()["state"] == "done"
        self.ask("admin", "GET", f"/v1/jobs/job_{new('unknown job')}")
        self.ask("admin", "GET", f"/v1/profiles/{quote(user)}/history")

    def lookups(self, who: dict[str, str]) -> None:
        """Reads by every identifier, with values in addresses, found and not."""
        known = [
            f"user_id:{who['user']}",
            f"anonymous_id:{who['anonymous']}",
            f"email:{who['email']}",
            f"phone:{who['phone']}",
        ]
        unknown = [
            f"user_id:{self.new('unknown user')}",
            f"email:{self.new('unknown e-mail')}@nowhere.example",
            f"{self.new('unknown type', small=True)}:x",
            self.new("no identifier"),
            f"email:{self.new('bad e-mail')}",
            f"prf_{self.new('bad profile id')}",
            f"user_id:%ZZ{self.new('bad percent')}",
        ]
        for ref in [*known, *unknown]:
            for key in ("profiles", "admin", "privacy", "write"):
                for end in ("", "?verbose=true", "/history", f"/{self.new('unknown path')}"):
                    self.ask(key, "GET", f"/v1/profiles/{quote(ref, safe='%')}{end}")
        self.ask("profiles", "POST", "/v1/profiles/lookup", {"identifiers": [*known, *unknown[:2]]})
        self.ask("profiles", "POST", "/v1/profiles/lookup", {"identifiers": unknown})
        self.ask("profiles", "POST", "/v1/profiles/lookup", {"identifiers": self.new("no list")})
        self.ask("profiles", "POST", "/v1/profiles/lookup", {self.new("wrong field"): 1})
        for group in (who["group"], self.new("unknown group"), self.new("group") + "/" + self.new("rest")):
            self.ask("admin", "GET", f"/v1/groups/{quote(group)}")
        self.ask("admin", "GET", f"/v1/profiles?limit={self.new('bad limit')}&cursor={self.new('bad cursor')}")
        self.ask("admin", "GET", f"/v1/profiles?cursor={self.new('bad cursor')}")
        self.ask("admin", "GET", f"/v1/profiles?{self.new('unknown parameter')}={self.new('unknown parameter')}")

    def refused(self) -> None:
        """Everything that is no proper request."""
        new = self.new
        for path in ("/v1/identify", "/v1/batch", "/v1/import", "/v1/track"):
            for raw in (
                f'{{"userId": "{new("broken body")}"'.encode(),
                f'{{"userId": "{new("wrong UTF-8")}\xff"}}'.encode("latin-1"),
                f'"{new("text body")}"'.encode(),
                f'{{"batch": "{new("batch of text")}", "userId": 1e999}}'.encode(),
                f'{{"userId": "{new("huge body")}", "x": "{"y" * 600_000}"}}'.encode(),
                f'{{"userId": "{new("deep body")}", "x": {"[" * 5000}{"]" * 5000}}}'.encode(),
                f'{{"userId": "\\ud800{new("half a character")}", "type": "track", "event": "\\u0000"}}'.encode(),
            ):
                self.ask("write", "POST", path, raw=raw)
            self.ask("write", "POST", path, raw=new("no gzip").encode(), Content_Encoding="gzip")
            self.ask("write", "POST", path, raw=b"{}", Content_Encoding=new("encoding"))
            self.ask(new("wrong key"), "POST", path, {"userId": new("user of a wrong key")})
            self.ask("profiles", "POST", path, {"userId": new("user of a wrong scope")})
        self.ask("of_" + new("wrong key", small=True), "GET", "/v1/rules")
        self.ask("operator", "POST", "/v1/spaces", {"name": [new("space of a wrong shape")]})
        self.ask("operator", "DELETE", f"/v1/spaces/spc_{new('unknown space')}?confirm={new('confirmation')}")
        self.ask("admin", "DELETE", f"/v1/keys/key_{new('unknown key')}")
        self.ask("admin", "POST", "/v1/keys", {"name": 7, "scopes": [new("unknown scope")]})
        for path in (f"/{new('unknown address')}", f"/v1/{new('unknown route')}?x={new('unknown query')}"):
            for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
                self.ask("admin", method, path, {new("body of nothing"): 1}, X_Custom=new("header"))
        self.ask("write", new("METHOD", small=True).upper(), "/v1/identify", {"userId": new("user of a wrong method")})
        self._unreadable(f"GET /{new('no http')} HTTP/9\r\n\r\n")
        self._unreadable(f"{new('no request')}\r\n\r\n")
        self._unreadable(f"POST /v1/track HTTP/1.1\r\nContent-Length: {new('length')}\r\n\r\n{{}}")
        self._unreadable(
            f'POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n{{"userId": "{new("cut off")}'
        )

    def _unreadable(self, text: str) -> None:
        parts = urlsplit(self._url)
        with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=5) as wire:
            wire.sendall(text.encode())
            wire.shutdown(socket.SHUT_WR)
            told = b""
            try:
                while part := wire.recv(65_536):
                    told += part
            except OSError:
                pass
            self.refusals.append(("unreadable", 400, told))
