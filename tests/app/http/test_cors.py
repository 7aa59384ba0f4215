"""Pages of other origins may use the collection routes and the settings of SDKs, and nothing else."""

import httpx
import pytest

from app.http import ingest_endpoint
from tests.app.conftest import Shop

ORIGIN = {"Origin": "https://shop.example"}
SETTINGS = "/v1/projects/{key}/settings"
OPEN = [*ingest_endpoint.ROUTES, "/v1/m", "/v1/m/", SETTINGS]


@pytest.mark.parametrize("path", OPEN)
def test_a_preflight_allows_what_sdks_send(client: httpx.Client, path: str) -> None:
    """And the headers that a page adds."""
    asked = {
        **ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-own",
    }
    answer = client.options(path.format(key="of_any"), headers=asked)

    assert answer.status_code == 204
    assert answer.content == b""
    assert answer.headers["access-control-allow-origin"] == ORIGIN["Origin"]
    assert "POST" in answer.headers["access-control-allow-methods"]
    allowed = {name.strip() for name in answer.headers["access-control-allow-headers"].split(",")}
    assert {"authorization", "content-type", "content-encoding", "x-retry-count", "x-own"} <= allowed
    assert int(answer.headers["access-control-max-age"]) > 0


@pytest.mark.parametrize("asked", ["x\r\ny", "a b", "*", "x" * 5_000, "é", ", ,"])
def test_odd_names_are_not_echoed(client: httpx.Client, asked: str) -> None:
    """A value that is no list of header names gets the ordinary answer."""
    headers = {"Origin": "https://shop.example", "Access-Control-Request-Headers": asked.replace("\r\n", " ")}
    answer = client.options(
        "/v1/t", headers=[(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    )

    assert answer.status_code == 204
    assert answer.headers["access-control-allow-headers"].endswith("x-retry-count")


def test_a_page_can_read_every_answer_of_collection(shop: Shop) -> None:
    """Accepted, refused or without a key, each with the headers that a page may see."""
    call = {"userId": "u1", "event": "e", "writeKey": shop.keys["write"]}
    answers = [
        shop.client.post("/v1/t", json=call, headers=ORIGIN),
        shop.client.post("/v1/t", content=b"", headers=ORIGIN),
        shop.client.post("/v1/t", json={"event": "E", "userId": "u1"}, headers=ORIGIN),
        shop.client.get("/v1/t", headers=ORIGIN),
        shop.client.post("/v1/m", json={"series": []}, headers=ORIGIN),
        shop.client.get(SETTINGS.format(key=shop.keys["write"]), headers=ORIGIN),
        shop.client.get(SETTINGS.format(key="nobody"), headers=ORIGIN),
    ]

    assert [answer.status_code for answer in answers] == [200, 400, 401, 405, 200, 200, 401]
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == ORIGIN["Origin"]
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert "Origin" in answer.headers["vary"]
        exposed = answer.headers["access-control-expose-headers"]
        assert {"Retry-After", "X-RateLimit-Reset"} <= {name.strip() for name in exposed.split(",")}


@pytest.mark.parametrize("origin", ["null", "file://", "https://a.example, https://b.example", "javascript:1"])
def test_no_credentials_for_an_opaque_origin(common_shop: Shop, origin: str) -> None:
    """An opaque origin may send like any other, but never with credentials."""
    answer = common_shop.client.post(
        "/v1/t", json={"event": "E", "writeKey": common_shop.keys["write"], "userId": "u1"}, headers={"Origin": origin}
    )

    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("path", ["/v1/profiles/user_id:u1", "/v1/spaces", "/v1/rules", "/healthz", "/v1/metrics"])
def test_no_other_route_is_open_to_pages(common_shop: Shop, path: str) -> None:
    """No page of another origin reads a profile, whatever key it has."""
    read = common_shop.ask("GET", path, headers=ORIGIN)
    asked = common_shop.client.options(path, headers={**ORIGIN, "Access-Control-Request-Method": "GET"})

    assert not [name for each in (read, asked) for name in each.headers if name.startswith("access-control-")]
    assert asked.status_code in (404, 405)


def test_settings_name_the_server_that_answered(shop: Shop) -> None:
    """A browser SDK sends to this server, in the scheme it used, and to no other host."""
    answer = shop.client.get(SETTINGS.format(key=shop.keys["write"]))
    settings = answer.json()

    assert answer.status_code == 200
    assert list(settings["integrations"]) == ["Segment.io"]
    segment = settings["integrations"]["Segment.io"]
    assert segment["apiKey"] == shop.keys["write"]
    assert f"{segment['protocol']}://{segment['apiHost']}" == f"{shop.client.base_url}".rstrip("/") + "/v1"
    assert settings["metrics"]["sampleRate"] == 0
    assert settings["remotePlugins"] == []


@pytest.mark.parametrize("key", ["import", "profiles", "privacy", "admin"])
def test_settings_reveal_nothing_about_other_keys(common_shop: Shop, key: str) -> None:
    """A key that is not public answers like a key that does not exist."""
    mine, nobody = (common_shop.client.get(SETTINGS.format(key=each)) for each in (common_shop.keys[key], "nobody"))

    assert mine.status_code == nobody.status_code == 401
    assert mine.content == nobody.content


@pytest.mark.parametrize("host", ["evil.example/path", "a@b", "a b", '"><script>', "x" * 300])
def test_an_odd_host_is_not_echoed(common_shop: Shop, host: str) -> None:
    """Settings never send a browser to a string that is no host."""
    # Such a request ends before any route, so the document of the routes does not describe its answer.
    address = str(common_shop.client.base_url).rstrip("/") + SETTINGS.format(key=common_shop.keys["write"])
    answer = httpx.get(address, headers={"Host": host}, timeout=60)

    assert answer.status_code in (400, 404)
    assert host not in answer.text


@pytest.mark.parametrize("body", [b"", b"{", b'{"series":[]}', b"\xff" * 1_000])
def test_metrics_of_sdks_need_no_key(client: httpx.Client, body: bytes) -> None:
    """Whatever their body is."""
    answer = client.post("/v1/m", content=body)

    assert (answer.status_code, answer.json()) == (200, {"success": True})
