"""The browser SDK as it is published, in a real browser, on a page of another origin.

The page knows only a write key and the address of the settings; everything else comes from there.
"""

import time
from collections.abc import Callable
from typing import Any

from tests.app.conftest import Shop
from tests.end_to_end.sdk.browser_page import Visit


def read(shop: Shop, ref: str) -> dict[str, Any]:
    """A profile, by an identifier."""
    answer = shop.ask("GET", f"/v1/profiles/{ref}", "profiles")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_visitor_becomes_a_customer(visit: Callable[..., Visit], shop: Shop) -> None:
    """Anonymous page views, identify, track, group and alias: one profile, read back at once."""
    opened = visit()
    anonymous = opened.page.evaluate(
        """async () => {
            await analytics.page('Home')
            await analytics.track('Pricing Viewed', { plan: 'pro' })
            await analytics.identify('ann', { email: 'Ann@Example.org', plan: 'pro' })
            await analytics.group('acme', { name: 'Acme' })
            await analytics.alias('ann-2', 'ann')
            return (await analytics.user()).anonymousId()
        }"""
    )
    onefold = str(shop.client.base_url).rstrip("/")
    # The SDK resolves before its requests are answered.
    opened.page.wait_for_load_state("networkidle")

    assert [path for path in opened.paths(onefold) if "settings" not in path] == [
        "/v1/p",
        "/v1/t",
        "/v1/i",
        "/v1/g",
        "/v1/a",
    ]
    profile = read(shop, f"anonymous_id:{anonymous}")
    found = {f"{each['type']}:{each['value']}" for each in profile["identifiers"]}
    assert {"user_id:ann", "email:ann@example.org", f"anonymous_id:{anonymous}"} <= found
    assert profile["traits"] == {"email": "Ann@Example.org", "plan": "pro"}
    assert profile["groups"] == ["acme"]
    assert profile["event_count"] == 5
    assert read(shop, "email:ann@example.org")["profile_id"] == profile["profile_id"]
    assert shop.ask("GET", "/v1/groups/acme", "profiles").json()["member_count"] == 1


def test_batches_and_a_page_that_goes_away(visit: Callable[..., Visit], shop: Shop) -> None:
    """Batches of ten, and what is left when the page is closed: nothing is lost."""
    opened = visit(batching="1")
    opened.page.evaluate(
        """async () => {
            await analytics.identify('bob', { email: 'bob@example.org' })
            const clicks = Array.from({ length: 13 }, (_, at) => analytics.track('Clicked', { at }))
            // A call that is still on its way through the SDK when the page goes away reaches no batch.
            await Promise.all(clicks)
        }"""
    )
    opened.page.wait_for_load_state("networkidle")
    opened.page.goto("about:blank")
    onefold = str(shop.client.base_url).rstrip("/")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = shop.ask("GET", "/v1/profiles/user_id:bob", "profiles")
        if found.status_code == 200 and found.json()["event_count"] == 14:
            break
        opened.page.wait_for_timeout(50)

    assert read(shop, "user_id:bob")["event_count"] == 14
    assert {path for path in opened.paths(onefold) if "settings" not in path} == {"/v1/b"}
