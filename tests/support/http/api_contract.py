"""Compares what a server really answered with its OpenAPI document.

A client with this hook fails the test that receives an answer whose status, media type or body the document
does not describe. The document allows more fields than it names; here a shape of named fields is closed, so a
field that nobody documented is a failure as well.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import httpx
from jsonschema_rs import Draft202012Validator

from app.http import ingest_endpoint
from app.http.asgi import METRICS
from tests.support.http.api_document import api_document

UNLISTED = re.compile(r"/(openapi\.json|docs(/.*)?)")
"""Paths that serve the document itself."""
NO_ROUTE = (400, 404, 405, 413, 415)
"""The answers to a request whose path or method has no route."""
_JSON = re.compile(r"application/([\w.-]+\+)?json(;|$)")


class ApiContract:
    """The answers that a document describes, by template, method and status."""

    def __init__(self, described: Mapping[str, Any]) -> None:
        self._components = {"schemas": closed(described["components"]["schemas"])}
        self._paths = {
            template: (re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))), operations)
            for template, operations in sorted(described["paths"].items(), key=lambda item: item[0].count("{"))
        }
        self._validators: dict[str, Draft202012Validator] = {}
        self._operations: dict[tuple[str, str], tuple[str | None, dict[str, Any] | None]] = {}
        self._of_schemas: dict[int, Draft202012Validator] = {}

    def hook(self, answer: httpx.Response) -> None:
        """The event hook of a client; it reads the answer."""
        answer.read()
        request = answer.request
        path = request.url.raw_path.partition(b"?")[0].decode("ascii")
        self.check(request.method, path, answer.status_code, answer.headers.get("content-type"), answer.content)

    def check(self, method: str, path: str, status: int, media_type: str | None, content: bytes) -> None:
        """Raise AssertionError where the document does not describe an answer."""
        if method == "OPTIONS" or UNLISTED.fullmatch(path):
            return
        template, operation = self._operation("GET" if method == "HEAD" else method, path)
        asked = f"{method} {template or path} answered {status}"
        if operation is None:
            assert status in NO_ROUTE, f"{asked}, and no route is documented"
            return
        if method == "HEAD" and status == 405:
            return
        responses = operation["responses"]
        response = responses.get(str(status), responses.get("default"))
        assert response is not None, f"{asked}, which is not documented: {content[:200]!r}"
        media = {name.partition(";")[0]: each for name, each in response.get("content", {}).items()}
        if method == "HEAD" or not content:
            return
        kind = (media_type or "").partition(";")[0]
        assert kind in media, f"{asked} as {kind}, and the document has {sorted(media)}"
        if _JSON.match(media_type or "") and (schema := media[kind].get("schema")):
            wrong = list(self._wrong(schema, json.loads(content)))
            assert not wrong, f"{asked} in another shape than documented: {wrong}"

    def _operation(self, method: str, path: str) -> tuple[str | None, dict[str, Any] | None]:
        asked = (method, path)
        if asked not in self._operations:
            self._operations[asked] = self._find_operation(method, path)
        return self._operations[asked]

    def _find_operation(self, method: str, path: str) -> tuple[str | None, dict[str, Any] | None]:
        hot = ingest_endpoint.ROUTES.get(path)
        wanted = path if hot is None else hot.template
        if path == f"{METRICS}/":
            wanted = METRICS
        if wanted in self._paths:
            # A constant path is no value of a parameter.
            return wanted, self._paths[wanted][1].get(method.lower())
        for template, (pattern, operations) in self._paths.items():
            if method.lower() in operations and (template == wanted or pattern.fullmatch(wanted)):
                return template, operations[method.lower()]
        return None, None

    def _wrong(self, schema: Mapping[str, Any], body: Any) -> Iterator[str]:
        for error in self._validator(schema).iter_errors(body):
            yield f"{error.message} at {'/'.join(map(str, error.instance_path))}"

    def _validator(self, schema: Mapping[str, Any]) -> Draft202012Validator:
        """The validator of a schema, found by its identity: the document, which holds it, stays."""
        made = self._of_schemas.get(id(schema))
        if made is None:
            text = json.dumps(schema, sort_keys=True)
            if text not in self._validators:
                self._validators[text] = Draft202012Validator({**closed(schema), "components": self._components})
            made = self._of_schemas[id(schema)] = self._validators[text]
        return made


def closed(schema: Any) -> Any:
    """A schema in which objects of named fields have no others."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: closed(each) for name, each in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        made.setdefault("additionalProperties", False)
    return made


@cache
def api_contract() -> ApiContract:
    """The contract of this code."""
    return ApiContract(api_document())
