"""Requests made from the OpenAPI document, valid and not: no 500, and answers as described.

Schemathesis is loaded by the process that runs these tests and by no other.
"""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.app.conftest import Shop
from tests.conftest import Running
from tests.support.http.api_document import api_document

OPERATIONS = [
    (path, method)
    for path, methods in api_document()["paths"].items()
    for method in methods
    if method in ("get", "put", "post", "delete", "patch", "head")
]
PRIVACY = ("/v1/erasures", "/v1/regulations", "/v1/suppressions", "/v1/holds", "/opendsr/")


@pytest.fixture(scope="module")
def described() -> Any:
    """The document as Schemathesis reads it."""
    import schemathesis

    return schemathesis.openapi.from_dict(api_document())


@pytest.mark.parametrize(
    ("path", "method"), OPERATIONS, ids=[f"{method.upper()} {path}" for path, method in OPERATIONS]
)
def test_no_request_breaks_it(path: str, method: str, described: Any, shop: Shop, live: Running) -> None:
    """With the key that opens most, requests that the document allows and some that it does not."""
    import schemathesis
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks

    key = live.admin_token if path.startswith("/v1/spaces") else shop.keys["admin"]
    if path.startswith(PRIVACY):
        key = shop.keys["privacy"]
    headers = {"Authorization": f"Bearer {key}"}
    address = str(shop.client.base_url)
    valid, invalid = schemathesis.GenerationMode
    operation = described[path][method.upper()]
    held = [
        not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_schema_conformance,
    ]

    @settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=valid) | operation.as_strategy(generation_mode=invalid))
    def requests(case: Any) -> None:
        case.call_and_validate(base_url=address, headers=headers, checks=held)

    requests()
