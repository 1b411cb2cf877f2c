"""A request's parameters, from its query string and its body: the contract's "how clients send it".

    query (every style) ─┐
    form body            ├─▶ one set of decoded names and values ─▶ Form(command, params, sign)
    JSON object body     ┘

The text that is signed is not injective by itself: a value holding ``&`` could swallow the next parameter. What would
make two requests share one text is therefore refused here, before the signature is looked at: ``&`` in a decoded name
or value, ``=`` in a decoded name, a parameter named ``secret_key``, a name that comes twice.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from spotbook.limits import PARAMETERS_MAX

# Old samples send `command\=…`: the same parameter as `command`.
_ALIAS = "command\\"

_COMMAND = b"command="
_FORM = b"application/x-www-form-urlencoded"
_JSON = b"application/json"

# Why a form is refused. Clients classify a reply by the words in it, so none of these holds "order", "not", "symbol",
# "pair", "sign", "api key", "permission", "insufficient" or "balance".
_TWICE = "given twice"
_AMPERSAND = "must be free of &"
_EQUALS = "its name must be free of ="
_UTF8 = "must be UTF-8"
_RESERVED = "is reserved"
_MANY = f"more than {PARAMETERS_MAX} parameters"
_OBJECT = "must be a JSON object in UTF-8"
_MEMBER = "must be text, an integer, true or false"
_TYPE = "its content type must be application/x-www-form-urlencoded or application/json"

_SHOWN_CHARACTERS_MAX = 64


class FormError(Exception):
    """The request's form is refused; ``str()`` is the message of code 10003, ``parameter error: <name>: <why>``.

    `name` is the parameter's, or ``request`` or ``body`` where no one parameter is at fault. It is the client's own
    text, so it is shown shortened and with ``?`` for what cannot be printed. No value is ever shown.
    """

    def __init__(self, name: str, why: str) -> None:
        self.name = "".join(c if c.isprintable() else "?" for c in name[:_SHOWN_CHARACTERS_MAX])
        self.why = why
        super().__init__(f"parameter error: {self.name}: {why}")


class Form(NamedTuple):
    """What arrived. `params` is what the signature covers: everything but `command` and `sign`, `api_key` included,
    decoded and otherwise untouched, empty values included. `command` is None when missing or empty.
    """

    command: str | None
    params: dict[str, str]
    sign: str | None


def parse(query: bytes, body: bytes, content_type: bytes) -> Form:
    """Merge the query and the body of one request (contract §1 "Ours", §2). Raise FormError, and nothing else.

    `query` is what follows the ``?``; `content_type` is the header's value, empty when there is none, and looked at
    only when `body` is not empty. A body without content type is read as a form; one of another type is refused,
    since reading it as a form would end in a signature error that explains nothing.

    `command` is read from the query only. One in the body is no part of the signed text either: it is refused as a
    duplicate beside one in the query, and passed over otherwise, so that the request counts as one without command.
    """
    fields: dict[str, str] = {}
    # Most queries are just this; the name of a command is its own proof that there is nothing to decode in it.
    if query.startswith(_COMMAND) and query[len(_COMMAND) :].isalnum():
        fields["command"] = query[len(_COMMAND) :].decode("ascii")
    elif query:
        _read_form(query, fields)
    if body:
        in_query = "command" in fields or _ALIAS in fields
        if content_type == _FORM:
            _read_form(body, fields)
        else:
            _read_body(body, content_type, fields)
        command = _take_command(fields)
        if not in_query:
            command = None
    else:
        command = _take_command(fields)
    if "secret_key" in fields:
        raise FormError("secret_key", _RESERVED)
    sign = fields.pop("sign", None)
    return Form(command or None, fields, sign)


def present(params: Mapping[str, str], name: str) -> str | None:
    """Return the value of `name`; None when it is missing, and when it is empty: signed, but then as good as absent."""
    return params.get(name) or None


def _take_command(fields: dict[str, str]) -> str | None:
    command = fields.pop("command", None)
    if _ALIAS not in fields:
        return command
    if command is not None:
        raise FormError("command", _TWICE)
    return fields.pop(_ALIAS)


def _read_form(raw: bytes, fields: dict[str, str]) -> None:
    """Add what a form-encoded text holds. A piece without ``=`` is a name with an empty value, as everywhere."""
    if raw.count(b"&") + len(fields) >= PARAMETERS_MAX:  # before the split, so that its work is bounded too
        raise FormError("request", _MANY)
    if b"%" in raw or b"+" in raw or not raw.isascii():
        _read_encoded(raw, fields)
        return
    # The common case, at a quarter of the price: nothing to decode, so neither ``&`` nor ``=`` can be hidden.
    for piece in raw.decode("ascii").split("&"):
        if piece:
            name, _, value = piece.partition("=")
            if name in fields:
                raise FormError(name, _TWICE)
            fields[name] = value


def _read_encoded(raw: bytes, fields: dict[str, str]) -> None:
    for piece in raw.split(b"&"):
        if piece:
            name, _, value = piece.partition(b"=")
            shown = name.decode("utf-8", "replace")
            text = _decode(name, shown)
            _add(text, _decode(value, text), fields)


def _decode(raw: bytes, name: str) -> str:
    if b"+" in raw:
        raw = raw.replace(b"+", b" ")
    if b"%" in raw:
        raw = unquote_to_bytes(raw)  # leaves a % without two hex digits as it is
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise FormError(name, _UTF8) from None


def _add(name: str, value: str, fields: dict[str, str]) -> None:
    if "&" in name or "&" in value:
        raise FormError(name, _AMPERSAND)
    if "=" in name:
        raise FormError(name, _EQUALS)
    if name in fields:
        raise FormError(name, _TWICE)
    fields[name] = value


def _read_body(body: bytes, content_type: bytes, fields: dict[str, str]) -> None:
    kind = content_type.partition(b";")[0].strip().lower()
    if kind in (_FORM, b""):
        _read_form(body, fields)
    elif kind == _JSON:
        _read_json(body, fields)
    else:
        raise FormError("body", _TYPE)


def _unreadable(_text: str) -> None:
    """Stand for a number that is no integer: as little a parameter as null is."""


# Objects stay tuples of (name, value), so that a name that comes twice is seen; integers stay the text that was sent.
_DECODER = json.JSONDecoder(object_pairs_hook=tuple, parse_int=str, parse_float=_unreadable, parse_constant=_unreadable)


def _read_json(body: bytes, fields: dict[str, str]) -> None:
    try:
        members: Any = _DECODER.decode(body.decode())
    except (ValueError, RecursionError):  # RecursionError: thousands of brackets, one within the other
        raise FormError("body", _OBJECT) from None
    if not isinstance(members, tuple):
        raise FormError("body", _OBJECT)
    if len(fields) + len(members) > PARAMETERS_MAX:
        raise FormError("request", _MANY)
    for name, value in members:
        _add(_encodable(name, name), _member_text(name, value), fields)


def _member_text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _encodable(value, name)
    raise FormError(name, _MEMBER)


def _encodable(text: str, name: str) -> str:
    """Return `text`, refusing half of a surrogate pair: JSON can write one, UTF-8 (which is signed) cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise FormError(name, _UTF8) from None
    return text
