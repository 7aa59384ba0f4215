"""Requests made from the OpenAPI document, valid and not: no 500, and answers as described."""

from typing import Any, cast

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.http import openapi
from app.main import create_app
from app.settings import Settings
from tests.app.conftest import Shop
from tests.conftest import Running

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
DOCUMENT = msgspec.json.decode(msgspec.json.encode(openapi.document(create_app(Settings()).api)))
OPERATIONS: list[Any] = [
    cast("Any", each).ok() for each in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations()
]
PRIVACY = ("/v1/erasures", "/v1/regulations", "/v1/suppressions", "/v1/holds", "/opendsr/")
MODES = list(schemathesis.GenerationMode)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_no_request_breaks_it(operation: Any, shop: Shop, live: Running) -> None:
    """With the key that opens most, requests that the document allows and some that it does not."""
    key = live.admin_token if operation.path.startswith("/v1/spaces") else shop.keys["admin"]
    if operation.path.startswith(PRIVACY):
        key = shop.keys["privacy"]
    headers = {"Authorization": f"Bearer {key}"}
    address = str(shop.client.base_url)

    @settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=MODES[0]) | operation.as_strategy(generation_mode=MODES[-1]))
    def requests(case: Any) -> None:
        case.call_and_validate(base_url=address, headers=headers, checks=CHECKS)

    requests()
