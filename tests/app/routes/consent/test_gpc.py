"""Global Privacy Control at collection: what a browser says in its header stands for good; a server's does not."""

from typing import Any

import httpx
import pytest

from tests.app.conftest import Shop
from tests.support.destinations.destination_feed import PURPOSES, Feed, statement
from tests.support.http.rejections import listed

GRANTED = {"Marketing": True, "Product": True}
TRAITS = {"plan": "pro", "email": "ann@example.org"}
ANN = "email:ann@example.org"


@pytest.fixture
def ads(shop: Shop) -> Feed:
    """A destination of class ads."""
    shop.ask("PUT", "/v1/purposes", json=PURPOSES)
    return Feed(shop, "ads")


def browse(shop: Shop, *gpc: str, key: str = "write", path: str = "/v1/identify", **call: Any) -> httpx.Response:
    """A call as a browser sends it; `gpc` are the values of its header."""
    body = statement(GRANTED, userId="ann", anonymousId="browser", traits=TRAITS) | call
    headers = httpx.Headers([("Authorization", f"Bearer {shop.keys[key]}"), *(("Sec-GPC", each) for each in gpc)])
    answer = shop.client.post(path, json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer


def consent(shop: Shop, ref: str = ANN) -> dict[str, Any]:
    """What is known of the decisions of somebody."""
    answer = shop.ask("GET", f"/v1/consent/{ref}", "privacy")
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


def test_the_signal_opts_out_of_ads(shop: Shop, ads: Feed) -> None:
    """A destination of class ads no longer sees the person, and the record names the signal."""
    browse(shop)
    ads.pull()
    assert len(ads.held) == 1
    browse(shop, "1", path="/v1/track", type="track", event="Seen")
    assert ads.look(ANN).json()["consent"] == "withheld"
    ads.pull()
    assert ads.held == {}
    known = consent(shop)
    assert known["purposes"]["Marketing"] == {"granted": False, "reason": "opted_out", "partly": False, "until": None}
    assert known["purposes"]["Product"]["granted"]
    assert [statement["signal_sources"] for statement in known["history"]] == [[], ["gpc"]]
    # It stands until the person says otherwise, whatever browsers say nothing of it.
    browse(shop)
    assert consent(shop)["purposes"]["Marketing"]["reason"] == "opted_out"


@pytest.mark.parametrize(
    "values",
    [("0",), ("true",), ("1,1",), ('"1"',), ("01",), ("",), ("1;x",), ("yes",), ("1, 0",)],
    ids=str,
)
def test_only_the_value_1_is_the_signal(shop: Shop, ads: Feed, values: tuple[str, ...]) -> None:
    """Any other value is accepted and is no signal."""
    browse(shop, *values)
    assert ads.look(ANN).json()["consent"] == "granted"
    assert [statement["signal_sources"] for statement in consent(shop)["history"]] == [[]]


@pytest.mark.parametrize(
    ("values", "listed_signals"),
    [(("true",), ["gpc"]), (("0", "yes"), ["gpc"]), (("1,1",), ["gpc"]), (("0",), None), (("",), None)],
    ids=str,
)
def test_a_header_that_cannot_be_read_is_listed_at_each_call(
    shop: Shop, values: tuple[str, ...], listed_signals: list[str] | None
) -> None:
    """As an invalid signal; `0` and nothing state nothing."""
    batch = [{"type": "page", "userId": "ann"}, {"type": "page", "userId": "ben", "context": {"gpc": "perhaps"}}]
    browse(shop, *values, path="/v1/batch", batch=batch)
    found = [each["invalid_signals"] for each in listed(shop, reason="invalid_signal")]
    assert found == ([["gpc"]] if listed_signals is None else [listed_signals] * 2)


def test_an_opt_out_counts_beside_a_header_of_another_value(shop: Shop, ads: Feed) -> None:
    """A proxy may add a line of its own; in either order."""
    for nr, values in enumerate([("1", "0"), ("0", "1"), ("true", "1")]):
        traits = TRAITS | {"email": f"u{nr}@x.org"}
        browse(shop, *values, path="/v1/identify", userId=f"u{nr}", anonymousId=f"a{nr}", traits=traits)
        assert consent(shop, f"user_id:u{nr}")["purposes"]["Marketing"]["reason"] == "opted_out"
    assert ads.pull() == []
    assert listed(shop) == []


def test_the_header_of_a_server_is_ignored(shop: Shop, ads: Feed, operator: dict[str, str]) -> None:
    """It is counted; in the context of a call the signal counts."""

    def counted() -> float:
        text = shop.client.get("/metrics", headers=operator).text
        (line,) = [line for line in text.splitlines() if line.startswith("onefold_ignored_gpc_total ")]
        return float(line.split()[1])

    before = counted()
    browse(shop, "1", key="import")
    browse(shop, "0", key="import")
    assert counted() == before + 1
    assert ads.look(ANN).json()["consent"] == "granted"
    assert consent(shop)["history"][0]["signal_sources"] == []
    shop.send(statement(userId="ann") | {"context": {"gpc": True}})
    assert ads.look(ANN).json()["consent"] == "withheld"
    assert consent(shop)["history"][-1]["signal_sources"] == ["gpc"]


@pytest.mark.parametrize(
    "context",
    [None, [], {}, {"gpc": False}, {"gpc": "no"}, {"consent": {"categoryPreferences": GRANTED}}],
    ids=str,
)
def test_the_header_counts_for_every_item_of_a_batch(shop: Shop, ads: Feed, context: Any) -> None:
    """Whatever context an item has or shares."""
    calls = [{"type": "identify", "userId": f"u{nr}", "traits": TRAITS | {"email": f"u{nr}@x.org"}} for nr in range(2)]
    shared = {"consent": {"categoryPreferences": GRANTED}}
    batch = [calls[0] | {"context": context}, calls[1]]
    browse(shop, "1", path="/v1/batch", batch=batch, context=shared)
    assert ads.pull() == []
    for nr in range(2):
        assert consent(shop, f"user_id:u{nr}")["purposes"]["Marketing"]["reason"] == "opted_out"


def test_an_invalid_context_is_rejected_with_the_header_too(shop: Shop) -> None:
    """As without the header."""
    headers = {"Sec-GPC": "1"}
    answer = shop.ask("POST", "/v1/track", "write", json={"event": "E", "userId": "u", "context": 7}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "context_not_object")


def test_the_signal_is_stored_with_the_call(shop: Shop, ads: Feed) -> None:
    """A rebuild and a split read it again."""
    browse(shop, "1", anonymousId="a1")
    shop.send({"type": "identify", "userId": "ann", "traits": {"phone": "+14155552671"}})
    made = shop.ask("POST", "/v1/rules/rebuild").json()
    done = shop.ask("GET", f"/v1/jobs/{made['job_id']}", params={"wait": 30}).json()
    assert done["state"] == "done"
    assert consent(shop)["purposes"]["Marketing"]["reason"] == "opted_out"
    shop.ask("POST", "/v1/profiles/unmerge", "privacy", json={"identifiers": ["phone:+14155552671"]})
    assert consent(shop)["purposes"]["Marketing"]["reason"] == "opted_out"
    assert ads.look(ANN).status_code == 404


def test_browsers_may_send_the_header_across_origins(shop: Shop) -> None:
    """A preflight request that names it is allowed."""
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    answer = shop.client.options("/v1/t", headers=asked)
    assert "sec-gpc" in answer.headers["access-control-allow-headers"]
