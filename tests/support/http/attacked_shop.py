"""Bodies sent to the collection surface, and what a refusal of them holds."""

import json
from typing import Any

import httpx

from tests.app.conftest import Shop
from tests.end_to_end.attacks.wire import Answer

LIMIT = 500 * 1024


def refused(answer: httpx.Response | Answer, status: int = 400) -> str:
    """That it was refused in the shape of the SDKs; returns the code."""
    error = answer.json()
    assert (answer.status if isinstance(answer, Answer) else answer.status_code) == status
    assert error["success"] is False
    assert error["message"]
    code: str = error["code"]
    return code


def call(**more: Any) -> bytes:
    """An ordinary call."""
    return json.dumps({"userId": "u1", "event": "e", **more}).encode()


def nobody(shop: Shop) -> bool:
    """Whether nothing was stored."""
    return bool(shop.ask("GET", "/v1/profiles").json()["profiles"] == [])
