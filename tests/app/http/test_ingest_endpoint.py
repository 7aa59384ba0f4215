"""The collection routes over HTTP: what they accept, what they refuse, and in which shape."""

import gzip
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import httpx
import psycopg
import pytest

from app.http import ingest_endpoint
from app.http.collection import prepared_answers
from app.server.metrics import Metrics
from app.settings import Settings
from identity.operations.ingest.request import LARGEST_ITEM, MOST_ITEMS
from identity.operations.spaces.manage_spaces import Caller
from identity.planning.resolution.call_requirements import REJECTIONS, TOO_MANY_TRAITS
from identity.values.calls import KINDS
from identity.values.ids import SpaceNumber
from tests.app.conftest import Shop, new_shop
from tests.conftest import Running
from tests.support.http.collection_answers import read, refused

OUTCOMES = {"Prefer": "return=representation"}
CALLS: dict[str, dict[str, Any]] = {
    "identify": {"userId": "u1", "traits": {"plan": "pro"}},
    "track": {"userId": "u1", "event": "Bought"},
    "page": {"userId": "u1", "name": "Home"},
    "screen": {"userId": "u1", "name": "Home"},
    "group": {"userId": "u1", "groupId": "g1"},
    "alias": {"userId": "u1", "previousId": "a1"},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["/v1/{}", "/v1/{}/"])
@pytest.mark.parametrize("short", [False, True])
def test_each_kind_of_call_has_its_route(shop: Shop, kind: str, form: str, short: bool) -> None:  # noqa: FBT001
    """By word and by letter; the path names the kind, not the body."""
    path = form.format(kind[0] if short else kind)

    answer = shop.ask("POST", path, "write", json={**CALLS[kind], "type": "nonsense"})

    assert (answer.status_code, answer.content) == (200, b'{"success":true}')
    assert read(shop, "user_id:u1").json()["event_count"] == 1


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/b", "/v1/import", "/v1/batch/"])
def test_a_batch_holds_calls_of_all_kinds(shop: Shop, path: str) -> None:
    """Each call names its own kind."""
    batch = [{**call, "type": kind} for kind, call in CALLS.items()]

    answer = shop.ask("POST", path, "write", json={"batch": batch})

    assert (answer.status_code, answer.json()) == (200, {"success": True})
    profile = read(shop, "user_id:u1").json()
    assert (profile["event_count"], profile["traits"], profile["groups"]) == (6, {"plan": "pro"}, ["g1"])


def test_an_empty_batch_is_accepted(shop: Shop) -> None:
    """A batch without calls has no outcomes."""
    assert shop.ask("POST", "/v1/batch", json={"batch": []}, headers=OUTCOMES).json() == {
        "success": True,
        "outcomes": [],
    }


def test_a_server_key_gets_the_outcomes_in_order(shop: Shop) -> None:
    """One outcome for each call, in the order of the calls."""
    batch = [
        {"type": "track", "event": "E", "userId": "u1", "messageId": "m1"},
        {"type": "track", "event": "E", "userId": "u1", "messageId": "m1"},
        {"type": "nonsense", "userId": "u1", "messageId": "m2"},
        7,
        {"type": "track", "event": "E", "messageId": "m3"},
        {"type": "track", "event": "E", "userId": "u1", "messageId": "m4", "properties": {"a": "x" * LARGEST_ITEM}},
    ]

    answer = shop.ask("POST", "/v1/batch", "import", json={"batch": batch}, headers=OUTCOMES)

    assert answer.headers["preference-applied"] == "return=representation"
    found = [(each["message_id"], each["status"], each["reason"]) for each in answer.json()["outcomes"]]
    assert found == [
        ("m1", "accepted", None),
        ("m1", "duplicate", None),
        ("m2", "rejected", "invalid_type"),
        (None, "rejected", "not_an_object"),
        ("m3", "unresolved", "no_identifier"),
        ("m4", "rejected", "too_large"),
    ]


def test_a_write_key_gets_no_outcomes(shop: Shop) -> None:
    """A public key cannot learn from outcomes who is known or suppressed."""
    answer = shop.ask(
        "POST", "/v1/batch", "write", json={"batch": [{"type": "track", "event": "E", "userId": "u"}]}, headers=OUTCOMES
    )

    assert answer.json() == {"success": True}
    assert "preference-applied" not in answer.headers


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ({"traits": [1]}, "traits_not_object"),
        ({"context": 1}, "context_not_object"),
        ({"messageId": "m" * 101}, "message_id_too_long"),
        ({"traits": {f"t{number}": 1 for number in range(TOO_MANY_TRAITS)}}, "too_many_traits"),
        ({"properties": {"a": "x" * LARGEST_ITEM}}, "too_large"),
    ],
)
def test_a_rejected_single_call_is_a_400_with_its_code(shop: Shop, call: dict[str, Any], code: str) -> None:
    """The answer has a message too."""
    answer = shop.ask("POST", "/v1/identify", "write", json={"userId": "u1", **call})

    assert refused(answer) == (400, code)
    assert answer.json()["message"] == REJECTIONS.get(code, prepared_answers.TOO_LARGE)
    assert read(shop, "user_id:u1").status_code == 404


def test_a_batch_of_too_many_calls_is_refused_whole(shop: Shop) -> None:
    """No call of it is stored."""
    batch = [{"type": "track", "event": "E", "userId": "u1"}] * (MOST_ITEMS + 1)

    assert refused(shop.ask("POST", "/v1/batch", json={"batch": batch})) == (400, "batch_too_long")
    assert read(shop, "user_id:u1").status_code == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "PATCH"])
def test_collection_routes_support_only_post(client: httpx.Client, method: str) -> None:
    """The answer names POST in its Allow header."""
    answer = client.request(method, "/v1/track")

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(("path", "key", "kept"), [
    ("/v1/import", "import", True),
    ("/v1/import", "admin", True),
    ("/v1/import", "write", False),
    ("/v1/batch", "import", False),
])  # fmt: skip
def test_only_a_server_import_names_the_time_of_receipt(shop: Shop, path: str, key: str, kept: bool) -> None:  # noqa: FBT001
    """Every other call is received when it arrives."""
    call = {"type": "track", "event": "E", "userId": "u1", "receivedAt": "2020-01-01T00:00:00Z"}

    assert shop.ask("POST", path, key, json={"batch": [call]}).status_code == 200
    seen = read(shop, "user_id:u1").json()["identifiers"][0]["first_seen"]
    assert seen.startswith("2020-01-01") == kept


def test_a_call_has_the_context_of_its_batch(shop: Shop) -> None:
    """The context of the call itself comes first."""
    batch = [
        {"type": "track", "event": "E", "userId": "u1"},
        {"type": "track", "event": "E", "userId": "u2", "context": {"device": {"type": "ios", "id": "d2"}}},
    ]
    context = {"device": {"type": "ios", "id": "d1"}}

    assert shop.ask("POST", "/v1/batch", "write", json={"batch": batch, "context": context}).status_code == 200
    found = {each["type"]: each["value"] for each in read(shop, "user_id:u1").json()["identifiers"]}
    assert found == {"user_id": "u1", "ios.id": "d1"}
    found = {each["type"]: each["value"] for each in read(shop, "user_id:u2").json()["identifiers"]}
    assert found == {"user_id": "u2", "ios.id": "d2"}


@pytest.mark.parametrize("path", ["/v1/m", "/v1/m/"])
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_metrics_of_sdks_are_accepted_and_dropped(client: httpx.Client, path: str, encoding: str) -> None:
    """In every encoding in which calls arrive."""
    body = b'{"series":[]}'
    content = gzip.compress(body) if encoding == "gzip" else body
    answer = client.post(path, content=content, headers={"Content-Encoding": encoding})

    assert (answer.status_code, answer.json()) == (200, {"success": True})


@pytest.mark.parametrize("of", ["nobody", "import", "revoked"])
def test_settings_need_a_write_key(shop: Shop, of: str) -> None:
    """The refusal is that of the collection routes, without the header that raises a password prompt."""
    keys = {**shop.keys, "nobody": "of_nobody"}
    if of == "revoked":
        made = shop.ask("POST", "/v1/keys", json={"name": "gone", "scopes": ["write"]}).json()
        keys[of] = made["secret"]
        assert shop.ask("DELETE", f"/v1/keys/{made['key_id']}").status_code == 204
    answer = shop.client.get(f"/v1/projects/{keys[of]}/settings")

    assert refused(answer) == (401, "invalid_write_key")
    assert "www-authenticate" not in answer.headers


def test_head_of_settings_answers_as_get_without_a_body(shop: Shop) -> None:
    """Same status and headers."""
    path = f"/v1/projects/{shop.keys['write']}/settings"
    head, get = shop.client.head(path), shop.client.get(path)

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]
    assert shop.client.head("/v1/projects/nobody/settings").status_code == 401
    assert shop.client.head("/healthz").status_code == 200
    assert shop.client.head("/v1/rules").status_code == 401


def test_settings_name_the_public_url(server: Callable[..., Running]) -> None:
    """Where it is set, SDKs use it, whatever host they asked."""
    running = server(ONEFOLD_PUBLIC_URL="https://cdp.example.com/")
    with httpx.Client(base_url=running.url, timeout=60) as client:
        shop = new_shop(client, {"Authorization": f"Bearer {running.admin_token}"})
        found = client.get(f"/v1/projects/{shop.keys['write']}/settings", headers={"Host": "other.example.com"}).json()

    segment = found["integrations"]["Segment.io"]
    assert (segment["protocol"], segment["apiHost"]) == ("https", "cdp.example.com/v1")


def test_a_space_whose_commits_hang_delays_no_other(shop: Shop, other_shop: Shop, live_database: str) -> None:
    """Its row is locked by another session, and it has more calls than two batches; the other space is answered."""
    with psycopg.connect(live_database) as session, ThreadPoolExecutor(4) as pool:
        session.execute(
            "SELECT 1 FROM space_gate g JOIN space s ON s.id = g.space_id WHERE s.name = %s FOR UPDATE OF g",
            [shop.name],
        )
        stuck = [
            pool.submit(shop.send, *({"type": "track", "userId": f"u{n}.{m}", "event": "E"} for m in range(200)))
            for n in range(4)
        ]
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        while session.execute(waiting).fetchone() == (0,):
            session.execute("SELECT pg_stat_clear_snapshot()")
        assert len(other_shop.send({"type": "track", "userId": "u1", "event": "E"})) == 1
        assert not any(each.done() for each in stuck)
        session.rollback()
        assert [len(each.result()) for each in stuck] == [200] * 4


@pytest.mark.parametrize("body", [b'{"batch":[', b"", b"[]", b'{"batch":{},"writeKey":"of_a"}', b'{"writeKey":"of_a",'])
@pytest.mark.parametrize("header", [True, False])
async def test_a_body_that_cannot_be_read_counts_once_against_the_rate(body: bytes, header: bool) -> None:  # noqa: FBT001
    """Listing what is lost is no second request."""
    counted: list[Caller] = []
    caller = Caller(SpaceNumber(1), 1, "key_a", "test", frozenset(("write",)))

    async def given(*_: object) -> Any:
        return caller

    onefold: Any = SimpleNamespace(
        settings=Settings(),
        keys=SimpleNamespace(caller=given),
        limits=SimpleNamespace(collect=counted.append),
        spaces=SimpleNamespace(get=given),
        ingest_queue=SimpleNamespace(submit=given),
        metrics=Metrics(),
    )
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"authorization", b"Bearer of_a")] if header else []
    scope = {"method": "POST", "headers": headers}
    await ingest_endpoint.IngestEndpoint(onefold)(ingest_endpoint.ROUTES["/v1/batch"], scope, receive, send)

    known = header or b"of_a" in body
    # A body without a key is not parsed, so nothing is known about it but that it is empty.
    assert (sent[0]["status"], counted) == (400 if known or not body else 401, [caller] * known)
