"""The envelope of every reply, byte for byte."""

import json

import pytest

from spotbook.wire.coinw.envelope import failure, success


def test_success() -> None:
    data = b'{"BTC":{"onOrders":"0","available":"0.0012"}}'
    assert success(data) == (
        b'{"code":"200","data":{"BTC":{"onOrders":"0","available":"0.0012"}},'
        b'"msg":"SUCCESS","success":true,"failed":false}'
    )


def test_failure_with_a_code_as_text() -> None:
    expected = b'{"code":"10007","msg":"signature error","success":false,"failed":true}'
    assert failure("10007", "signature error") == expected


@pytest.mark.parametrize(
    ("code", "message"), [(29001, "API access frequently"), (404, "Requested address does not exist")]
)
def test_failure_with_a_code_as_a_number(code: int, message: str) -> None:
    assert failure(code, message) == f'{{"code":{code},"msg":"{message}","success":false,"failed":true}}'.encode()


@pytest.mark.parametrize("message", ['"', "\\", "\n", "é", "\ud800", "\x00", "</script>"])
def test_any_message_is_json(message: str) -> None:
    reply = json.loads(failure("10003", message))
    assert reply == {"code": "10003", "msg": message, "success": False, "failed": True}
