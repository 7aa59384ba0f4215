"""Heads of requests as the RFCs have them: Host, blanks around values, HEAD, and PUT of a part."""

import gzip
import json
import socket
from urllib.parse import urlsplit

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.http.request_head import head_fault, parser_fault
from tests.app.conftest import Shop
from tests.conftest import Running


def ask(live: Running, head: str, content: bytes = b"") -> tuple[int, dict[str, str], bytes]:
    """The status, the headers and the content of the answer to a request with this head."""
    place = urlsplit(live.url)
    with socket.create_connection((place.hostname or "", place.port or 0), 10) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode() + b"\r\nConnection: close\r\n\r\n" + content)
        answered = b"".join(iter(lambda: connection.recv(65_536), b""))
    start, _, rest = answered.partition(b"\r\n\r\n")
    first, *lines = start.decode().split("\r\n")
    return int(first.split()[1]), dict(line.lower().split(": ", 1) for line in lines), rest


@pytest.mark.parametrize(
    ("line", "hosts", "status"),
    [
        ("HTTP/1.1", ["x"], 200), ("HTTP/1.1", [""], 200), ("HTTP/1.1", ["x:80"], 200), ("HTTP/1.1", ["[::1]:80"], 200),
        ("HTTP/1.1", [], 400), ("HTTP/1.1", ["x", "x"], 400), ("HTTP/1.1", ["x", "y"], 400), ("HTTP/1.1", ["x y"], 400),
        ("HTTP/1.1", ["x/y"], 400), ("HTTP/1.1", ["a@x"], 400), ("HTTP/1.0", [], 200), ("HTTP/1.0", ["x", "y"], 400),
    ],
)  # fmt: skip
def test_a_request_has_one_valid_host(live: Running, line: str, hosts: list[str], status: int) -> None:
    """Only HTTP/1.0 may leave it out (RFC 9112 §3.2)."""
    head = "\n".join([f"GET /healthz {line}", *(f"Host: {each}" for each in hosts)])
    answered, _, content = ask(live, head)
    assert answered == status
    assert status == 200 or json.loads(content)["code"] == "invalid_host"


def ended(live: Running, head: str, content: bytes = b"") -> tuple[int, str, str]:
    """The status, the code and the message of a refusal in the shape that SDKs read."""
    status, headers, answered = ask(live, head, content)
    refusal = json.loads(answered)
    assert (refusal["success"], headers["content-type"]) == (False, "application/json")
    return status, refusal["code"], refusal["message"]


@pytest.mark.parametrize("version", ["HTTP/2.0", "HTTP/2", "HTTP/3.0", "HTTP/0.9", "HTTP/1.2", "HTTP/9.9"])
def test_another_version_of_http_is_refused_by_name(live: Running, version: str) -> None:
    """With 505, so that a client sends HTTP/1.1 (RFC 9110 §15.6.6)."""
    status, code, message = ended(live, f"GET /healthz {version}\nHost: x")
    assert (status, code) == (505, "unsupported_version")
    assert "HTTP/1.1" in message


def test_the_preface_of_http_2_is_refused_as_a_version(live: Running) -> None:
    """As the version that it is."""
    assert ended(live, "PRI * HTTP/2.0\n\nSM\n")[:2] == (505, "unsupported_version")


@pytest.mark.parametrize("method", ["FOO", "BREW", "get", "Post", "GETX", "DESCRIBE", "X-Y"])
def test_an_unknown_method_is_not_implemented(live: Running, method: str) -> None:
    """On every path, in the shape of the collection surface (RFC 9110 §15.6.2)."""
    for path in ("/healthz", "/v1/batch", "/v1/profiles"):
        status, code, message = ended(live, f"{method} {path} HTTP/1.1\nHost: x")
        assert (status, code) == (501, "unsupported_method")
        assert "capitals" in message


CHUNKS = b"2\r\n{}\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("version", "codings", "status"),
    [
        ("1.1", ["chunked"], 401), ("1.1", ["Chunked"], 401),
        ("1.1", ["gzip, chunked"], 501), ("1.1", ["gzip", "chunked"], 501), ("1.1", ["gzip,chunked"], 501),
        ("1.1", ["deflate, gzip, chunked"], 501), ("1.1", ["x, chunked"], 501),
        ("1.1", ["gzip"], 400), ("1.1", ["identity"], 400), ("1.1", ["chunked, gzip"], 400),
        ("1.1", ["chunked, chunked"], 400), ("1.1", ["chunked", "identity"], 400), ("1.0", ["chunked"], 400),
    ],
)  # fmt: skip
def test_a_body_in_another_transfer_coding_is_never_read_as_plain(
    live: Running, version: str, codings: list[str], status: int
) -> None:
    """An unknown coding is 501, and a body whose end nobody can find is 400 (RFC 9112 §6.1, §6.3)."""
    head = "\n".join([f"POST /v1/batch HTTP/{version}", "Host: x", *(f"Transfer-Encoding: {each}" for each in codings)])
    answered, code, _ = ended(live, head, CHUNKS)
    assert (answered, code) == {
        401: (401, "invalid_write_key"),
        501: (501, "unsupported_transfer_encoding"),
        400: (400, "invalid_http"),
    }[status]


def test_bytes_of_tls_are_named(live: Running) -> None:
    """The usual cause is https:// for a port of plain HTTP."""
    place = urlsplit(live.url)
    with socket.create_connection((place.hostname or "", place.port or 0), 10) as connection:
        connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        answered = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert answered.startswith(b"HTTP/1.1 400")
    assert b"TLS" in answered


@pytest.mark.parametrize("probe", ["/healthz", "/readyz"])
def test_a_probe_may_have_any_query(live: Running, probe: str) -> None:
    """Orchestrators add parameters of their own, and nothing depends on them."""
    assert ask(live, f"GET {probe}?x=1&x=2 HTTP/1.1\nHost: x")[0] == 200


@pytest.mark.parametrize("encoding", ["", "identity", "Identity", "identity, identity", ","])
@pytest.mark.parametrize("path", ["/v1/track", "/v1/consent"])
def test_an_empty_content_encoding_is_none(live: Running, common_shop: Shop, path: str, encoding: str) -> None:
    """As `identity` is, in capitals too."""
    call = {"userId": "u", "event": "E"}
    decision = {"identifier": "user_id:u", "jurisdiction": "DE"}
    content = json.dumps(call if path == "/v1/track" else decision).encode()
    key = common_shop.keys["write" if path == "/v1/track" else "privacy"]
    head = f"POST {path} HTTP/1.1\nHost: x\nAuthorization: Bearer {key}\nContent-Encoding: {encoding}"
    assert ask(live, f"{head}\nContent-Length: {len(content)}", content)[0] == 200


@pytest.mark.parametrize("blank", ["", " ", "  ", "\t", " \t "])
@pytest.mark.parametrize("where", ["before", "after"])
def test_blanks_around_the_value_of_a_header_are_no_part_of_it(
    live: Running, common_shop: Shop, blank: str, where: str
) -> None:
    """Of any header that is read (RFC 9110 §5.5)."""

    def header(name: str, value: str) -> str:
        return f"{name}:{blank}{value}" if where == "before" else f"{name}: {value}{blank}"

    content = gzip.compress(json.dumps({"userId": "u", "event": "E"}).encode())
    lines = [
        "POST /v1/track HTTP/1.1",
        header("Host", "x"),
        header("Authorization", f"Bearer {common_shop.keys['import']}"),
        header("Content-Encoding", "gzip"),
        header("Content-Length", str(len(content))),
        header("Prefer", "return=representation"),
        header("Origin", "https://shop.example"),
    ]
    status, headers, answered = ask(live, "\n".join(lines), content)
    assert (status, json.loads(answered)["outcomes"][0]["status"]) == (200, "accepted")
    assert headers["preference-applied"] == "return=representation"


@pytest.mark.parametrize("value", ["1", "1 ", "1\t", " 1 "])
def test_the_opt_out_of_a_browser_counts_with_blanks(live: Running, shop: Shop, value: str) -> None:
    """As without them."""
    content = b'{"userId": "u", "event": "E"}'
    head = f"POST /v1/track HTTP/1.1\nHost: x\nAuthorization: Bearer {shop.keys['write']}\nSec-GPC: {value}"
    assert ask(live, f"{head}\nContent-Length: {len(content)}", content)[0] == 200
    history = shop.ask("GET", "/v1/consent/user_id:u", "privacy").json()["history"]
    assert history[0]["signals"] == {"out:ads": False, "out:sale_share": False}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v1/purposes", "GET, HEAD, PUT"),
        ("GET", "/v1/consent", "POST"),
        ("HEAD", "/v1/consent", "POST"),
        ("POST", "/v1/consent/user_id:u", "GET, HEAD"),
        ("PUT", "/v1/track", "POST"),
        ("HEAD", "/v1/track", "POST"),
    ],
)
def test_a_refused_method_names_all_that_the_path_supports(
    live: Running, common_shop: Shop, method: str, path: str, allowed: str
) -> None:
    """Those of every route with the path."""
    head = f"{method} {path} HTTP/1.1\nHost: x\nAuthorization: Bearer {common_shop.keys['admin']}"
    status, headers, content = ask(live, head)
    assert (status, headers["allow"]) == (405, allowed.lower())
    assert bool(content) == (method != "HEAD")


def test_a_head_has_the_headers_of_a_get_and_no_content(live: Running, shop: Shop) -> None:
    """The length included."""
    answers = [
        ask(live, f"{method} /v1/purposes HTTP/1.1\nHost: x\nAuthorization: Bearer {shop.keys['admin']}")
        for method in ("GET", "HEAD")
    ]
    (status, headers, content), (of_head, shown, nothing) = answers
    assert (status, of_head, nothing) == (200, 200, b"")
    assert len(content) == int(shown["content-length"])
    assert {**headers, "date": ""} == {**shown, "date": ""}


def test_a_put_of_a_part_is_refused_and_changes_nothing(shop: Shop) -> None:
    """A whole document replaces the old one."""
    document = {"purposes": [{"id": "Ads", "class": "ads"}]}
    assert shop.ask("PUT", "/v1/purposes", json=document).status_code == 200
    part = shop.ask("PUT", "/v1/purposes", json={}, headers={"Content-Range": "bytes 0-1/80"})
    assert (part.status_code, part.json()["code"]) == (400, "partial_put")
    assert [each["id"] for each in shop.ask("GET", "/v1/purposes").json()["purposes"]] == ["Ads"]


CODES = {(400, "invalid_http"), (501, "unsupported_method"), (505, "unsupported_version")}


class Ignored:
    """What the parser calls."""

    def on_header(self, name: bytes, value: bytes) -> None:
        """Ignore a header."""


def refused(data: bytes) -> tuple[int, str, str] | None:
    """The answer to bytes that the parser refuses."""
    try:
        httptools.HttpRequestParser(Ignored()).feed_data(data)
    except httptools.HttpParserUpgrade:
        return None
    except httptools.HttpParserError as error:
        return parser_fault(error, data)
    return None


@given(st.binary(max_size=80) | st.from_regex(rb"[A-Z]{1,9} /secret HTTP/[0-9]\.[0-9]\r\n\r\n", fullmatch=True))
def test_any_bytes_that_are_refused_have_one_of_these_codes(data: bytes) -> None:
    """Whatever the reason of the parser is called."""
    answer = refused(data)
    if answer is not None:
        assert answer[:2] in CODES
        assert "secret" not in answer[2]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        *(
            (f"GET / HTTP/1.1|Content-Length: {value}", "Content-Length")
            for value in ("x", "-1", "", "1.5", "5, 5", "9" * 30)
        ),
        ("GET / HTTP/1.1|Content-Length: 5|Content-Length: 6", "send the header once"),
        ("GET / HTTP/1.1|Ho st: x", "A header"),
        ("GET / HTTP/1.1|Host x", "A header"),
        ("GET / HTTP/1.1|Host: \0", "A header"),
        ("GET / HTTP/1.1|Content-Length : 5", "A header"),
        ("GET / HTTP/1.1| Host: x", "begins with a blank"),
        ("GET /a b HTTP/1.1|Host: x", "%20"),
        ("GET /ä HTTP/1.1|Host: x", "%XX"),
        ("POST / HTTP/1.1|Transfer-Encoding: chunked||zz", "chunk"),
    ],
)  # fmt: skip
def test_a_head_that_the_parser_refuses_is_explained(lines: str, words: str) -> None:
    """By the part of the head that is at fault."""
    answer = refused(lines.replace("|", "\r\n").encode() + b"\r\n\r\n")
    assert answer is not None
    assert answer[:2] == (400, "invalid_http")
    assert words in answer[2]


@pytest.mark.parametrize(
    ("version", "headers", "fault"),
    [
        ("1.1", [(b"host", b"x")], None),
        ("1.0", [], None),
        ("1.1", [], (400, "invalid_host")),
        ("1.1", [(b"host", b"x"), (b"transfer-encoding", b"CHUNKED")], None),
        ("1.1", [(b"host", b"x"), (b"transfer-encoding", b"gzip , Chunked")], (501, "unsupported_transfer_encoding")),
        ("1.1", [(b"host", b"x"), (b"transfer-encoding", b"chunked, gzip")], (400, "invalid_http")),
        ("1.0", [(b"transfer-encoding", b"chunked")], (400, "invalid_http")),
        ("2.0", [(b"host", b"x")], (505, "unsupported_version")),
        ("0.9", [], (505, "unsupported_version")),
    ],
)
def test_a_head_that_the_parser_accepts_may_be_refused(
    version: str, headers: list[tuple[bytes, bytes]], fault: tuple[int, str] | None
) -> None:
    """For its version, its host, or the coding of its body."""
    found = head_fault(version, headers)
    assert (None if found is None else found[:2]) == fault
