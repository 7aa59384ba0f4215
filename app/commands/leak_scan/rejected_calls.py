"""Plants what is not taken, or not whole: calls that are rejected, and requests that cannot be read."""

from typing import Final

from app.commands.leak_scan.planter import PlantedPerson, Planter
from identity.values.errors import DatabaseUnavailable

_NO_SPACE_LEFT: Final = 6  # traits of a fifth of a document each, so that the last ones find no room


def plant_rejected_calls(planter: Planter, person: PlantedPerson) -> None:
    """Plant calls that are rejected, and read their list, which has to name them."""
    new = planter.new
    messages = [
        new(f"message id of a call that is {how}", hashed=True) for how in ("rejected", "rejected alone", "nobody's")
    ]
    rejected, alone, nobody = messages
    items = [
        {"type": new("rejected type"), "messageId": rejected, "userId": person.user},
        {"type": "track", "event": "E", "messageId": nobody, "context": {"traits": {"email": new("no e-mail")}}},
        {
            "type": "track",
            "event": "E",
            "messageId": new("message id"),
            "userId": "null",
            "anonymousId": person.anonymous,
        },
        {"type": "identify", "userId": person.user, "traits": {"email": new("rejected value")}},
    ]
    planter.send("write", "POST", "/v1/batch", {"batch": items})
    text = {"messageId": alone, "userId": person.user, "context": new("context that is text")}
    planter.send("write", "POST", "/v1/track", text)
    ignored = [new("trait name without room") for _ in range(_NO_SPACE_LEFT)]
    for name in ignored:
        planter.send("write", "POST", "/v1/identify", {"userId": person.user, "traits": {name: "x" * 30_000}})
    listed = planter.must("admin", "GET", "/v1/rejections?limit=1000")
    if any(name.encode() not in listed for name in (*messages, ignored[-1])):
        raise DatabaseUnavailable("The list of rejections lacks a call that the leak scan planted; the scan is void.")
    for query in (
        f"since={new('time in error')}",
        f"cursor={new('cursor in error')}",
        f"limit={new('limit in error')}",
    ):
        planter.send("admin", "GET", f"/v1/rejections?{query}")


def plant_refused_requests(planter: Planter) -> None:
    """Plant values in everything that is no proper request."""
    for path in ("/v1/identify", "/v1/batch", "/v1/import", "/v1/track"):
        _broken_bodies(planter, path)
    _wrong_addresses(planter)
    _no_http(planter)


def _broken_bodies(planter: Planter, path: str) -> None:
    new = planter.new
    for body in (
        f'{{"userId": "{new("broken body")}"'.encode(),
        f'{{"userId": "{new("body in wrong UTF-8")}\xff"}}'.encode("latin-1"),
        f'"{new("body that is text")}"'.encode(),
        f'{{"batch": "{new("batch that is text")}", "userId": 1e999}}'.encode(),
        f'{{"userId": "{new("huge body")}", "x": "{"y" * 600_000}"}}'.encode(),
        f'{{"userId": "{new("deep body")}", "x": {"[" * 5000}{"]" * 5000}}}'.encode(),
        f'{{"userId": "\\ud800{new("half a character")}", "type": "track", "event": "\\u0000"}}'.encode(),
    ):
        planter.send("write", "POST", path, body)
    planter.send("write", "POST", path, new("body that is no gzip").encode(), {"Content-Encoding": "gzip"})
    planter.send("write", "POST", path, b"{}", {"Content-Encoding": new("content encoding")})
    planter.send(new("wrong key"), "POST", path, {"userId": new("user of a wrong key")})
    planter.send("profiles", "POST", path, {"userId": new("user of a wrong scope")})


def _wrong_addresses(planter: Planter) -> None:
    new = planter.new
    planter.send("of_" + new("wrong key", small=True), "GET", "/v1/rules")
    planter.send("operator", "POST", "/v1/spaces", {"name": [new("space name in error")]})
    planter.send("operator", "DELETE", f"/v1/spaces/spc_{new('unknown space')}?confirm={new('confirmation')}")
    planter.send("admin", "DELETE", f"/v1/keys/key_{new('unknown key')}")
    planter.send("admin", "POST", "/v1/keys", {"name": 7, "scopes": [new("unknown scope")]})
    for path in (f"/{new('unknown address')}", f"/v1/{new('unknown route')}?x={new('unknown query')}"):
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
            body = {new("body of an unknown route"): 1}
            planter.send("admin", method, path, body, {"X-Custom": new("request header")})
    method = new("method", small=True).upper()
    planter.send("write", method, "/v1/identify", {"userId": new("user of a wrong method")})


def _no_http(planter: Planter) -> None:
    new = planter.new
    for text in (
        f"GET /{new('address of another HTTP')} HTTP/9\r\n\r\n",
        f"{new('line that is no request')}\r\n\r\n",
        f"POST /v1/track HTTP/1.1\r\nContent-Length: {new('content length')}\r\n\r\n{{}}",
        f'POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n{{"userId": "{new("body cut off")}',
    ):
        planter.send_raw(text)
