"""The envelope of every reply (contract §3): `code`, then `data` on success, `msg`, `success`, `failed`."""

import json

_SUCCESS_HEAD = b'{"code":"200","data":'
_SUCCESS_TAIL = b',"msg":"SUCCESS","success":true,"failed":false}'


def success(data: bytes) -> bytes:
    """Return the success envelope around `data`, which is JSON already."""
    return _SUCCESS_HEAD + data + _SUCCESS_TAIL


def failure(code: str | int, message: str) -> bytes:
    """Return the failure envelope. A `code` given as str goes out as a JSON string, one given as int as a JSON number.

    The documents show two codes as numbers: 29001, and the 404 of an unknown path, whose documented body
    ``{"code":404,"msg":"…"}`` is extended by the two flags that every reply carries, since a client reads either.
    What is not ASCII in `message` (a parameter's name, say) is escaped, so that any str can be answered.
    """
    words = json.dumps(message)
    number = f'"{code}"' if isinstance(code, str) else str(code)
    return f'{{"code":{number},"msg":{words},"success":false,"failed":true}}'.encode()
