"""From bytes to replies, balances and errors."""

import pickle
from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from spotbook import client as package
from spotbook.client import (
    AvailableBalances,
    Balance,
    CompleteBalances,
    ExchangeError,
    MalformedReply,
    RateLimit,
    RateLimited,
    SpotbookError,
)

if TYPE_CHECKING:
    from unit.client.conftest import Host
else:
    Host = Any

Refuse = Callable[..., httpx2.Response]


def data(text: str) -> httpx2.Response:
    return httpx2.Response(200, text=f'{{"code":"200","data":{text},"msg":"SUCCESS","success":true,"failed":false}}')


def test_complete_balances_are_typed_and_exact(host: Host) -> None:
    balances = host.client().complete_balances()
    assert isinstance(balances, CompleteBalances)
    assert list(balances) == ["BTC", "CWT"]
    assert balances["BTC"] == Balance(Decimal("0.0012"), Decimal("0.1"))
    assert balances["BTC"].total == Decimal("0.1012")
    assert (balances.version, balances.batch, balances.batch_time, balances.books) == (7, 12, 1790000000000, "b00c5")
    assert balances.rate_limit == RateLimit(limit=5, remaining=4, reset_seconds=2)
    assert balances.reply.msg == "SUCCESS"
    assert "BTC" in repr(balances)


def test_an_absent_asset_has_zero_and_is_not_listed(host: Host) -> None:
    balances = host.client().complete_balances()
    assert balances["ETH"] == balances.get("ETH") == Balance(Decimal(0), Decimal(0))
    assert balances["ETH"].total == 0
    assert "ETH" not in balances
    assert "BTC" in balances
    assert len(balances) == 2


def test_no_assets_at_all(host: Host) -> None:
    host.reactions = [data("{}")]
    assert dict(host.client().complete_balances()) == {}


def test_a_host_that_sends_no_headers_gives_none(host: Host) -> None:
    host.reactions = [data("{}")]
    balances = host.client().complete_balances()
    found = (balances.version, balances.batch, balances.batch_time, balances.books, balances.rate_limit)
    assert found == (None,) * 5


def test_a_header_that_is_no_number_counts_as_absent(host: Host) -> None:
    reaction = data("{}")
    reaction.headers["X-Account-Version"] = "seven"
    host.reactions = [reaction]
    assert host.client().complete_balances().version is None


def test_available_balances(host: Host) -> None:
    host.reactions = [data('{"BTC":"0.00120000","CWT":"400.000"}')]
    balances = host.client().balances()
    assert isinstance(balances, AvailableBalances)
    assert dict(balances) == {"BTC": Decimal("0.00120000"), "CWT": Decimal("400.000")}
    assert balances["ETH"] == 0


def test_amounts_are_exact_whatever_the_callers_context_is(host: Host) -> None:
    host.reactions = [data('{"X":{"onOrders":"0.000000000000000001","available":"1234567890123456789.1"}}')]
    with localcontext() as context:
        context.prec = 3
        balance = host.client().complete_balances()["X"]
        assert str(balance.available) == "1234567890123456789.1"
        assert str(balance.total) == "1234567890123456789.100000000000000001"


def test_numbers_of_json_never_pass_through_a_float(host: Host) -> None:
    host.reactions = [data('{"X":0.1000000000000000000001,"Y":12345678901234567890,"Z":1e-8}')]
    balances = host.client().balances()
    assert str(balances["X"]) == "0.1000000000000000000001"
    assert str(balances["Y"]) == "12345678901234567890"
    assert balances["Z"] == Decimal("0.00000001")
    raw = host.client().call("returnDepositsWithdrawals")
    assert (type(raw["X"]), type(raw["Y"])) == (Decimal, int)


@pytest.mark.parametrize(
    "text",
    [
        "null",
        "[]",
        '"x"',
        '{"BTC":"1"}',
        '{"BTC":{"available":"1"}}',
        '{"BTC":{"onOrders":"1","available":null}}',
        '{"BTC":{"onOrders":"1","available":"NaN"}}',
        '{"BTC":{"onOrders":"1","available":"1e5"}}',
        '{"BTC":{"onOrders":"1","available":" 1"}}',
        '{"BTC":{"onOrders":"1","available":"\\u0661"}}',
        '{"BTC":{"onOrders":"1","available":true}}',
        '{"BTC":{"onOrders":"1","available":1e400}}',
    ],
)
def test_data_of_another_shape_is_a_malformed_reply(host: Host, text: str) -> None:
    host.reactions = [data(text)]
    with pytest.raises(MalformedReply, match="documented shape") as caught:
        host.client().complete_balances()
    assert caught.value.ambiguous is False


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        ("10006", "api_key error: invalid api key", "AuthenticationError"),
        ("10007", "signature error", "InvalidSignature"),
        ("10004", "no permission: trade", "PermissionDenied"),
        ("10005", "no permission: withdraw", "PermissionDenied"),
        ("10002", "API does not exist", "NotSupported"),
        ("10003", "parameter error: amount: no number", "InvalidParameter"),
        ("10003", "parameter precision: amount", "InvalidParameter"),
        ("-3", "order not found", "OrderNotFound"),
        ("-3", "symbol does not exist", "BadSymbol"),
        ("-3", "no such thing", "NotFound"),
        ("200005", "insufficient balance", "InsufficientBalance"),
        ("10008", "out_trade_no is taken", "DuplicateOrderId"),
        ("10009", "market is off", "RuleRefused"),
        ("-200", "system busy", "ExchangeBusy"),
        ("-201", "system, outcome unknown", "OutcomeUnknown"),
        (29001, "API access frequently", "RateLimited"),
        ("29001", "API access frequently", "RateLimited"),
        (404, "Requested address does not exist", "BadRequest"),
        ("77", "Invalid API-key", "AuthenticationError"),
        ("77", "no permission", "PermissionDenied"),
        ("77", "Balance too low", "InsufficientBalance"),
        ("77", "Order was not found", "OrderNotFound"),
        ("77", "unknown pair", "BadSymbol"),
        ("77", "precision is over the limit", "InvalidParameter"),
        ("77", "rate is exceeded", "RateLimited"),
        ("77", "something else: operate, generate, designed", "ExchangeError"),
    ],
)
def test_every_code_has_its_error(host: Host, refuse: Refuse, code: Any, message: str, kind: str) -> None:
    host.reactions = [refuse(code, message)]
    with pytest.raises(ExchangeError) as caught:
        host.client().call("doTrade", symbol="BTC_USDT")
    error = caught.value
    assert type(error).__name__ == kind
    assert (error.code, error.message, error.command) == (int(code), message, "doTrade")
    assert error.ambiguous is (kind == "OutcomeUnknown")
    assert str(error) == f"doTrade: {message} (code {int(code)})"
    assert error.reply is not None
    assert error.reply.code == int(code)


def test_a_limit_says_when_it_ends(host: Host, refuse: Refuse) -> None:
    host.reactions = [refuse(29001, "API access frequently", Retry_After="30")]
    with pytest.raises(RateLimited) as caught:
        host.client().complete_balances()
    assert caught.value.retry_after == 30.0
    host.reactions = [refuse(29001, "API access frequently")]
    with pytest.raises(RateLimited) as caught:
        host.client().complete_balances()
    assert caught.value.retry_after is None
    assert RateLimited("made by hand").retry_after is None


@pytest.mark.parametrize("status", [200, 400, 401, 500])
def test_a_refusal_is_known_by_its_code_whatever_the_status(host: Host, status: int) -> None:
    host.reactions = [httpx2.Response(status, json={"code": "10007", "msg": "signature error"})]
    with pytest.raises(package.InvalidSignature):
        host.client().complete_balances()


def test_an_undocumented_code_under_a_server_error_leaves_a_write_ambiguous(host: Host) -> None:
    host.reactions = [httpx2.Response(500, json={"code": "500", "msg": "oops"})]
    with pytest.raises(ExchangeError) as caught:
        host.client().call("doTrade")
    assert caught.value.ambiguous is True


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"code":null}',
        b'{"code":true}',
        b'{"code":200.0}',
        b'{"code":"two hundred"}',
        b'{"code":"200","success":false}',
        b'{"code":"200","data":"\xff"}',
        b"[" * 100_000,
        b'{"code":"200","data":1e9999999999999999999999}',
    ],
)
def test_what_is_no_envelope_is_a_malformed_reply(host: Host, body: bytes) -> None:
    host.reactions = [httpx2.Response(200, content=body)]
    for command, ambiguous in (("returnCompleteBalances", False), ("doTrade", True)):
        with pytest.raises(MalformedReply) as caught:
            host.client().call(command)
        assert (caught.value.status, caught.value.ambiguous) == (200, ambiguous)


@pytest.mark.parametrize(
    ("status", "kind", "ambiguous"),
    [
        (404, "BadRequest", False),
        (405, "BadRequest", False),
        (413, "BadRequest", False),
        (414, "BadRequest", False),
        (431, "BadRequest", False),
        (429, "RateLimited", False),
        (403, "MalformedReply", True),
        (500, "MalformedReply", True),
        (502, "MalformedReply", True),
    ],
)
def test_a_status_without_an_envelope(host: Host, status: int, kind: str, ambiguous: bool) -> None:
    host.reactions = [httpx2.Response(status, text="<h1>sign=ABC</h1>")]
    with pytest.raises(SpotbookError) as caught:
        host.client().call("doTrade")
    assert (type(caught.value).__name__, caught.value.ambiguous) == (kind, ambiguous)
    assert "ABC" not in str(caught.value)


def test_the_whole_reply(host: Host) -> None:
    reply = host.client().request("returnCompleteBalances")
    assert (reply.status, reply.code, reply.msg, reply.command) == (200, 200, "SUCCESS", "returnCompleteBalances")
    assert reply.data["BTC"] == {"onOrders": "0.1", "available": "0.0012"}
    assert reply.headers["x-account-version"] == "7"


def test_a_reply_without_data_is_a_success(host: Host) -> None:
    host.reactions = [httpx2.Response(200, content=b'{"code":200,"msg":null}')]
    reply = host.client().request("cancelAllOrder")
    assert (reply.data, reply.msg) == (None, "")


def test_every_error_survives_pickling() -> None:
    kinds = [kind for kind in vars(package).values() if isinstance(kind, type) and issubclass(kind, SpotbookError)]
    assert len(kinds) == 22
    for kind in kinds:
        error = kind("words", "doTrade", ambiguous=True)
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), again.ambiguous) == (kind, str(error), True)
