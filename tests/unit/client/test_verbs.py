"""Every typed method: what it sends, and what it makes of the answer, through both faces."""

import asyncio
import inspect
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import httpx2
import msgspec
import pytest

from spotbook.client import (
    AsyncClient,
    AsyncPublicClient,
    Client,
    ExchangeBusy,
    MalformedReply,
    NetworkError,
    PublicClient,
)
from support.client_calls import PRIVATE, PUBLIC, STATE, Case

if TYPE_CHECKING:
    from unit.client.conftest import Host
else:
    Host = Any

FACES = ["sync", "async"]
EVERY = PRIVATE + PUBLIC
# What a host that writes numbers where Spotbook writes text would send.
UNEXACT = {"orderNumber", "symbol", "currencyPair", "pair", "symbolId", "chain", "out_trade_no", "time", "date"}


def answers(data: Any, **headers: str) -> httpx2.Response:
    envelope = {"code": "200", "data": data, "msg": "SUCCESS", "success": True, "failed": False}
    return httpx2.Response(200, content=msgspec.json.encode(envelope), headers=headers)


def awaited(client: AsyncClient | AsyncPublicClient, use: Callable[[Any], Any]) -> Any:
    async def run() -> Any:
        async with client:
            return await use(client)

    return asyncio.run(run())


def call(host: Host, face: str, case: Case) -> Any:
    return called(host, face, case.method, *case.args, **case.options)


def called(host: Host, face: str, method: str, /, *args: Any, client: Mapping[str, Any] = {}, **options: Any) -> Any:
    """One call by one face of a client that was made with the options `client`."""
    if face == "async":
        return awaited(host.async_client(**client), lambda opened: getattr(opened, method)(*args, **options))
    with host.client(**client) as opened:
        return getattr(opened, method)(*args, **options)


def sent(request: httpx2.Request) -> tuple[str, dict[str, str]]:
    """The command and the parameters that went, whichever way; without key and signature."""
    pairs = parse_qsl(request.url.query.decode(), keep_blank_values=True)
    pairs += parse_qsl(request.content.decode(), keep_blank_values=True)
    params = dict(pairs)
    assert len(params) == len(pairs)
    command = params.pop("command")
    return command, {name: value for name, value in params.items() if name not in {"api_key", "sign"}}


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("case", EVERY, ids=str)
def test_what_is_sent_and_what_comes_of_the_answer(host: Host, face: str, case: Case) -> None:
    host.reactions = [answers(case.data)]
    assert call(host, face, case) == case.result
    assert len(host.seen) == 1
    assert sent(host.seen[0]) == (case.command, case.params)


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("case", PUBLIC, ids=str)
def test_a_public_call_needs_no_key_and_sends_none(host: Host, face: str, case: Case) -> None:
    host.reactions = [answers(case.data)]
    if face == "async":
        keyless = AsyncPublicClient(transport=host.transport)
        assert awaited(keyless, lambda client: getattr(client, case.method)(*case.args, **case.options)) == case.result
    else:
        with PublicClient(transport=host.transport) as client:
            assert getattr(client, case.method)(*case.args, **case.options) == case.result
    assert call(host, face, case) == case.result
    first, with_key = host.seen
    assert (first.method, first.content) == ("GET", b"")
    assert first.url.path == "/api/v1/public"
    assert "sign" not in str(first.url)
    assert (first.url, first.headers.raw) == (with_key.url, with_key.headers.raw)


def as_numbers(value: Any, name: str = "") -> str:
    """The same as JSON text, amounts as bare numbers, exactly the digits that they have."""
    if isinstance(value, dict):
        return "{" + ",".join(f'"{key}":{as_numbers(item, key)}' for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(as_numbers(item, name) for item in value) + "]"
    if isinstance(value, str) and name not in UNEXACT and value.lstrip("-").replace(".", "", 1).isdigit():
        return value
    return msgspec.json.encode(value).decode()


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_numbers_are_as_good_as_text(host: Host, case: Case) -> None:
    host.reactions = [httpx2.Response(200, text=f'{{"code":"200","data":{as_numbers(case.data)}}}')]
    assert call(host, "sync", case) == case.result


def members_of(data: Any) -> list[str]:
    """The names of the members that the result is read from."""
    if isinstance(data, list) and data and isinstance(data[0], dict):
        return list(data[0])
    return list(data) if isinstance(data, dict) else []


# Members that nothing is read from, or that a host may leave out.
UNREAD = {"clientOrderId", "symbol", "symbolId", "chain", "out_trade_no", "orderType", "after", "before"}
UNREAD_OF = {"orders_by_number": {"type"}, "volumes_24h": {"totalETH", "totalUSDT", "totalBTC", "BTC_USDT"}}


@pytest.mark.parametrize("wrong", [None, "much", True, {}, 1.5e300], ids=["null", "text", "true", "object", "huge"])
@pytest.mark.parametrize("case", EVERY, ids=str)
def test_a_member_of_another_shape_is_a_malformed_reply(host: Host, case: Case, wrong: Any) -> None:
    data = case.data
    rows = data if isinstance(data, list) else [data]
    texts = {"currencyPair", "currencyBase", "currencyQuote", "pair", "asset", "kind"}
    for name in members_of(data):
        if name in UNREAD | UNREAD_OF.get(case.method, set()) or (name in texts and wrong == "much"):
            continue
        broken = [{**row, name: wrong} for row in rows]
        host.reactions = [answers(broken if isinstance(data, list) else broken[0])]
        with pytest.raises(MalformedReply, match="documented shape") as caught:
            call(host, "sync", case)
        assert caught.value.command == case.command


# What is done is done, whatever the data of the answer are.
WITH_DATA = [case for case in EVERY if case.method not in {"cancel", "cancel_all"}]


@pytest.mark.parametrize("case", WITH_DATA, ids=str)
@pytest.mark.parametrize("wrong", ["text", {"a": []}, [1]], ids=["text", "object", "array"])
def test_data_of_another_shape_is_a_malformed_reply(host: Host, case: Case, wrong: Any) -> None:
    host.reactions = [answers(wrong)]
    with pytest.raises(MalformedReply):
        call(host, "sync", case)


def test_a_write_whose_answer_cannot_be_read_may_have_been_done(host: Host) -> None:
    host.reactions = [answers({"orderNumber": None})]
    with pytest.raises(MalformedReply) as caught:
        host.client().place_limit("BTC_USDT", "buy", 1, 1)
    assert (caught.value.ambiguous, caught.value.command) == (True, "doTrade")
    host.reactions = [answers({"state": "perhaps"})]
    for fence in (False, True):
        with pytest.raises(MalformedReply) as caught:
            host.client().order_by_reference("mine-1", fence=fence)
        assert caught.value.ambiguous is fence


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize(
    ("method", "args", "options"),
    [
        ("place_limit", ("BTC_USDT", "buy", 0.1, 82000), {}),
        ("place_limit", ("BTC_USDT", "buy", 1, 82000.5), {}),
        ("place_limit", ("BTC_USDT", "buy", True, 82000), {}),
        ("place_market", ("BTC_USDT", "buy"), {"funds": 10.0}),
        ("place_market", ("BTC_USDT", "sell"), {"amount": 0.5}),
        ("cancel", (17.0,), {}),
        ("order", (17.0,), {}),
        ("order_status", (17.0,), {}),
        ("orders_by_number", ([17, 18.0],), {}),
        ("open_orders", ("BTC_USDT",), {"start": 1790000000.5}),
        ("candles", ("BTC_USDT", 60.0), {}),
        ("order_books", ("BTC_USDT",), {}),
    ],
)
def test_a_float_or_another_type_is_refused_before_anything_is_sent(
    host: Host, face: str, method: str, args: Any, options: Any
) -> None:
    with pytest.raises(TypeError):
        called(host, face, method, *args, **options)
    assert host.seen == []


@pytest.mark.parametrize(
    ("method", "args", "options", "words"),
    [
        ("place_limit", ("BTC_USDT", "BUY!", 1, 1), {}, "buy or sell"),
        ("place_market", ("BTC_USDT", "bid"), {"amount": 1}, "buy or sell"),
        ("place_market", ("BTC_USDT", "buy"), {}, "one of the two"),
        ("place_market", ("BTC_USDT", "buy"), {"amount": 1, "funds": 1}, "one of the two"),
        ("place_limit", ("BTC_USDT", "buy", Decimal("NaN"), 1), {}, "no amount"),
        ("cancel_all", ("BTC&x=1",), {}, "&"),
    ],
)
def test_what_no_call_can_mean_is_refused_before_anything_is_sent(
    host: Host, method: str, args: Any, options: Any, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        called(host, "sync", method, *args, **options)
    assert host.seen == []


def trade(number: int) -> dict[str, Any]:
    return {
        "orderType": "LIMIT",
        "orderId": 17,
        "fee": "0",
        "price": "1",
        "size": "1",
        "side": "BUY",
        "time": 1790000000000 + number,
        "tradeId": number,
    }


def collected(host: Host, face: str, *args: Any, **options: Any) -> list[int]:
    if face == "sync":
        with host.client() as client:
            return [fill.id for fill in client.my_trades(*args, **options)]

    async def run() -> list[int]:
        async with host.async_client() as client:
            return [fill.id async for fill in client.my_trades(*args, **options)]

    return asyncio.run(run())


@pytest.mark.parametrize("face", FACES)
def test_all_fills_page_after_page(host: Host, face: str) -> None:
    pages = [{"list": [trade(9), trade(8)], "after": 8}, {"list": [trade(5)], "after": 5, "before": 5}, {"list": []}]
    host.reactions = [answers(page) for page in pages]
    assert collected(host, face, "BTC_USDT", start=1, end=2) == [9, 8, 5]
    span = {"symbol": "BTC_USDT", "startAt": "1", "endAt": "2", "limit": "100"}
    assert [sent(request)[1] for request in host.seen] == [span, {**span, "after": "8"}, {**span, "after": "5"}]


@pytest.mark.parametrize("face", FACES)
def test_the_last_page_names_no_older_one(host: Host, face: str) -> None:
    host.reactions = [answers({"list": [trade(9)]})]
    assert collected(host, face) == [9]
    assert len(host.seen) == 1


@pytest.mark.parametrize("face", FACES)
def test_a_host_that_sends_the_same_page_for_ever_does_not_hang_the_caller(host: Host, face: str) -> None:
    host.reactions = [answers({"list": [trade(9)], "after": 9})]
    assert collected(host, face) == [9, 9]
    assert len(host.seen) == 2


def test_pages_come_only_as_they_are_asked_for(host: Host) -> None:
    host.reactions = [answers({"list": [trade(9), trade(8)], "after": 8})]
    with host.client() as client:
        fills = client.my_trades()
        assert host.seen == []
        assert next(fills).id == 9
        assert next(fills).id == 8
        assert len(host.seen) == 1


@pytest.mark.parametrize("face", FACES)
def test_every_private_read_can_wait_for_a_version(host: Host, face: str) -> None:
    arguments = {
        "open_orders": ("BTC_USDT",),
        "order": (17,),
        "order_status": (17,),
        "closed_orders": ("BTC_USDT",),
        "orders_by_number": ([17],),
        "my_trades_page": (),
        "holds": (),
        "balances": (),
        "complete_balances": (),
    }
    able = {name for name, method in vars(Client).items() if callable(method) and "min_version" in words_of(method)}
    assert able == {*arguments, "call", "request"}
    for method, args in arguments.items():
        host.reactions = [answers(None)]
        with pytest.raises(MalformedReply):
            called(host, face, method, *args, min_version=("b00c5", 7))
        assert host.seen[-1].headers["X-Min-Version"] == "b00c5:7"


def words_of(method: Any) -> list[str]:
    return list(inspect.signature(method).parameters)


@pytest.mark.parametrize("face", FACES)
def test_fences_are_never_repeated_and_plain_questions_are(host: Host, face: str) -> None:
    host.reactions = [httpx2.ConnectError("refused")]
    for fence, sent_in_all in ((True, 1), (False, 4)):
        with pytest.raises(NetworkError):
            called(host, face, "order_by_reference", "mine-1", fence=fence, client={"retries": 2})
        assert len(host.seen) == sent_in_all


@pytest.mark.parametrize("face", FACES)
def test_an_order_is_never_placed_twice_by_the_client(host: Host, face: str) -> None:
    host.reactions = [httpx2.Response(200, json={"code": "-200", "msg": "system busy"})]
    with pytest.raises(ExchangeBusy):
        called(host, face, "place_limit", "BTC_USDT", "buy", 1, 1, out_trade_no="mine-1", client={"retries": 10})
    assert (len(host.seen), host.slept) == (1, [])


def test_a_dates_text_is_in_utc_plus_8(host: Host) -> None:
    for text, milliseconds in (("1970-01-01 08:00:00", 0), ("2026-11-22 00:00:00", 1795276800000)):
        host.reactions = [answers({**STATE, "date": text})]
        assert host.client().order(17).placed_at == milliseconds
    host.reactions = [answers({**STATE, "date": "2026-11-31 00:00:00"})]
    with pytest.raises(MalformedReply):
        host.client().order(17)


def test_holds_add_up_by_asset(host: Host) -> None:
    rows = [("USDT", "0.000000000000000001"), ("BTC", "1"), ("USDT", "1234567890123456789")]
    held = [{"asset": asset, "amount": text, "kind": "order", "id": 1} for asset, text in rows]
    host.reactions = [answers({"version": 3, "holds": held})]
    holds = host.client().holds()
    assert str(holds.on_orders("USDT")) == "1234567890123456789.000000000000000001"
    assert holds.on_orders("DOGE") == 0
    assert [hold.asset for hold in holds] == ["USDT", "BTC", "USDT"]
    assert len(holds) == 3


def test_a_public_request_gives_the_whole_reply(host: Host) -> None:
    host.reactions = [answers({}, RateLimit_Limit="80")]
    with PublicClient(transport=host.transport) as client:
        assert client.public_request("returnTicker").data == {}
        client.public_request("returnOrderBook", {"symbol": "a b+é"})
    assert host.seen[1].url.raw_path == b"/api/v1/public?command=returnOrderBook&symbol=a+b%2B%C3%A9"

    async def run() -> None:
        async with AsyncPublicClient.from_env({"SPOTBOOK_URL": "https://example.org/spot"}) as client:
            assert repr(client) == "<AsyncPublicClient of https://example.org/spot>"
        async with AsyncPublicClient(transport=host.transport) as client:
            assert (await client.public_request("returnTicker")).data == {}

    asyncio.run(run())
    with PublicClient.from_env({}, retries=1) as client:
        assert repr(client) == "<PublicClient of http://127.0.0.1:8080>"


@pytest.mark.parametrize("levels", [None, [None], [["1"]], [["1", "much"]], [{"price": "1"}]])
def test_a_book_of_another_shape_is_a_malformed_reply(host: Host, levels: Any) -> None:
    host.reactions = [answers({"asks": [], "bids": levels, "pair": "BTC_USDT"})]
    with pytest.raises(MalformedReply, match="bids"):
        host.client().order_book("BTC_USDT")


@pytest.mark.parametrize("status", [0, 5, "9"])
def test_a_status_that_nobody_documents_is_not_guessed(host: Host, status: Any) -> None:
    host.reactions = [answers({**STATE, "status": status})]
    with pytest.raises(MalformedReply, match="status"):
        host.client().order(17)
