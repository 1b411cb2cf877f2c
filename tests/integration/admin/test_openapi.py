"""The description of the Admin API: valid, whole, and true of what the API does."""

import re
from contextlib import suppress
from typing import Any
from unittest import SkipTest

import jsonschema_rs
import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from spotbook.server.admin.endpoint import PREFIX
from spotbook.server.admin.openapi import document
from spotbook.server.admin.routes import ENDPOINTS, PROBES

pytestmark = pytest.mark.parametrize("store", ["memory"], indirect=True)  # nothing here depends on the store

CHECKED = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
CASES_MAX = 12


def test_it_is_served_without_a_token(admin: Any) -> None:
    reply = admin.client.get("/openapi.json", headers={"authorization": ""})
    assert reply.status_code == 200
    assert reply.content == msgspec.json.encode(document())


def test_every_endpoint_is_in_it(store: Any) -> None:
    paths = document()["paths"]
    described = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    expected = {(endpoint.method, PREFIX + endpoint.path) for endpoint in ENDPOINTS}
    assert described == expected | {("GET", probe.path) for probe in PROBES}
    names = [operation["operationId"] for methods in paths.values() for operation in methods.values()]
    assert len(names) == len(set(names))


def test_every_schema_is_valid_and_every_reference_leads_somewhere(store: Any) -> None:
    made = document()
    schemas = made["components"]["schemas"]
    for schema in schemas.values():
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
    for name in re.findall(r"#/components/schemas/(\w+)", str(made)):
        assert name in schemas


def test_amounts_are_text_in_every_schema(store: Any) -> None:
    amounts = {"amount", "available", "frozen", "supply_max", "value_min", "value_max", "price_min", "before", "after"}
    others = {"Page", "OrdersPage", "TextPage", "AccountShown", "Freezing", "EntryShown"}
    for name, schema in document()["components"]["schemas"].items():
        for field, kind in schema.get("properties", {}).items():
            if field in amounts and name not in others:
                given = [one for one in kind.get("anyOf", [kind]) if one != {"type": "null"}]
                assert all(one.get("type") == "string" or "$ref" in one for one in given), (name, field)


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_the_api_does_what_is_described(admin: Any, mode: GenerationMode) -> None:
    headers = {"host": "127.0.0.1:8081", **admin.client.headers}
    schema = schemathesis.openapi.from_asgi("/openapi.json", admin.client.app, headers=headers)
    for found in schema.get_all_operations():
        operation = found.ok()  # type: ignore[union-attr]  # a schema that is none fails right here
        for case in drawn(operation, mode):
            case.call_and_validate(headers=headers, checks=CHECKED)


def drawn(operation: Any, mode: GenerationMode) -> list[Any]:
    """Return some calls of an operation; none when there is no way to make a wrong one."""
    cases: list[Any] = []

    @settings(
        max_examples=CASES_MAX,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def draw(case: Any) -> None:
        cases.append(case)

    with suppress(Unsatisfiable, SkipTest):
        draw()
    return cases
