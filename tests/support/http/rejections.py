"""Reading the list of rejections, and calls that lose something."""

from typing import Any

import msgspec

from app.schemas.rejections import RejectionPage
from identity.operations.ingest.request import LARGEST_ITEM
from tests.app.conftest import Shop

BIG = "x" * (LARGEST_ITEM - 2_000)


def listed(shop: Shop, **params: Any) -> list[dict[str, Any]]:
    """The whole list, page by page."""
    found: list[dict[str, Any]] = []
    while True:
        answer = shop.ask("GET", "/v1/rejections", params=params)
        assert answer.status_code == 200, answer.text
        page = msgspec.json.decode(answer.content, type=RejectionPage)
        found += answer.json()["rejections"]
        if page.next_cursor is None:
            return found
        assert len(page.rejections) <= params.get("limit", 100)
        params["cursor"] = page.next_cursor


def externals(count: int, type_: str = "t{}") -> dict[str, Any]:
    """A context with external ids, each of a type of its own."""
    ids = [{"id": f"v{n}", "type": type_.format(n), "collection": "users", "encoding": "none"} for n in range(count)]
    return {"externalIds": ids}
