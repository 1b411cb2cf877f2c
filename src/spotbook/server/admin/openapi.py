"""``/openapi.json``: OpenAPI 3.1, made from the table of endpoints and the structs that they read and send."""

import re
from typing import Any

import msgspec

from spotbook import __version__
from spotbook.limits import ID_MAX
from spotbook.server.admin.endpoint import PREFIX, Endpoint
from spotbook.server.admin.fields import SYMBOL_PATTERN
from spotbook.server.admin.health import Metrics
from spotbook.server.admin.refusals import Failure
from spotbook.server.admin.routes import ENDPOINTS, PROBES, Probe

Json = dict[str, Any]

_PATH_PARAMETERS: dict[str, Json] = {
    "account": {"type": "integer", "minimum": 1, "maximum": ID_MAX},
    "api_key": {"type": "string", "minLength": 1},
    "subject": {"type": "string", "minLength": 1},
    "name": {"type": "string", "minLength": 1},
    "symbol": {"type": "string", "pattern": SYMBOL_PATTERN},
    "order": {"type": "integer", "minimum": 1, "maximum": ID_MAX},
}
_ERRORS = {
    400: "The body is no JSON",
    401: "No token, or one that is not live",
    403: "The token lacks the role",
    404: "No such thing",
    409: "What is there already differs, or does not admit it",
    413: "The body is too large",
    421: "The Host header names another server",
    422: "A value is not admissible",
    500: "An internal fault (`internal`), or nobody knows whether it was done (`outcome_unknown`)",
    503: "Nothing was done (`not_done`): try again later; or the writer is stopped (`writer_stopped`)",
}


def document() -> Json:
    """Return the whole document."""
    kinds = _kinds()
    schemas, components = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    refs = dict(zip(kinds, schemas, strict=True))
    paths: dict[str, Json] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(PREFIX + endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, refs, components)
    for probe in PROBES:
        paths[probe.path] = {"get": _probe(probe, refs)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Spotbook Admin API", "version": __version__, "license": {"name": "Apache-2.0"}},
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "A named admin token"}},
        },
    }


def _kinds() -> list[Any]:
    """Return every struct that comes in or goes out, each once."""
    kinds: dict[Any, None] = {Failure: None}
    for endpoint in ENDPOINTS:
        for kind in (endpoint.body, endpoint.query, *endpoint.replies.values(), *endpoint.refusals.values()):
            if kind is not None:
                kinds[kind] = None
    for probe in PROBES:
        kinds |= dict.fromkeys(kind for kind in probe.replies.values() if kind is not Metrics)
    return list(kinds)


def _operation(endpoint: Endpoint, refs: dict[Any, Json], components: dict[str, Json]) -> Json:
    names = re.findall(r"{(\w+)}", endpoint.path)
    query = components[refs[endpoint.query]["$ref"].rpartition("/")[2]]
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": _PATH_PARAMETERS[name]} for name in names
    ] + [
        {"name": name, "in": "query", "required": False, "schema": schema}
        for name, schema in query["properties"].items()
    ]
    statuses = {401, 403, 421, 422, 500}
    statuses |= {404} if names else set()
    statuses |= {400, 413} if endpoint.body else set()
    statuses |= {503} if endpoint.method != "GET" else set()
    refusals = {**dict.fromkeys(statuses), **endpoint.refusals}
    operation: Json = {
        "operationId": f"{endpoint.method.lower()}{re.sub(r'[^a-z]+', '_', endpoint.path).rstrip('_')}",
        "summary": endpoint.summary,
        "description": f"Needs the role `{endpoint.role}`.",
        "parameters": parameters,
        "responses": {
            **{str(status): _success(kind, refs) for status, kind in endpoint.replies.items()},
            **{str(status): _error(status, kind, refs) for status, kind in sorted(refusals.items())},
        },
    }
    if endpoint.body:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": refs[endpoint.body]}}}
    return operation


def _success(kind: Any, refs: dict[Any, Json]) -> Json:
    if kind is None:
        return {"description": "Done"}
    return {"description": "Done", "content": {"application/json": {"schema": refs[kind]}}}


def _error(status: int, kind: Any, refs: dict[Any, Json]) -> Json:
    schema = refs[Failure] if kind is None else {"anyOf": [refs[kind], refs[Failure]]}
    headers: Json = {}
    if status == 401:
        headers = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    elif status == 503:
        headers = {"Retry-After": {"schema": {"type": "string"}, "description": "Seconds"}}
    return {"description": _ERRORS[status], "headers": headers, "content": {"application/json": {"schema": schema}}}


def _probe(probe: Probe, refs: dict[Any, Json]) -> Json:
    responses: Json = {str(status): _error(status, None, refs) for status in (421, 500)}
    for status, kind in probe.replies.items():
        if kind is Metrics:
            content = {"text/plain": {"schema": {"type": "string"}}}
        else:
            content = {"application/json": {"schema": refs[kind]}}
        responses[str(status)] = {"description": "Done" if status == 200 else "Not now", "content": content}
    name = probe.path.strip("/")
    return {"operationId": name, "summary": probe.summary, "security": [], "responses": responses}
