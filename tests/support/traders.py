"""A trader: signed calls over one connection, and what their answers said of its orders.

It knows of each order whether it was acknowledged, cancelled and how far it was seen executed, so that books that were
killed and opened again can be held against it.
"""

import hashlib
import http.client
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple, Self
from urllib.parse import urlencode, urlsplit

from support.demo import END_SECONDS_MAX, Gone

OPEN = (1, 2)
CANCELLED = 4

Params = dict[str, str]


class Access(NamedTuple):
    """An account and a key of it."""

    account: int
    api_key: str
    secret: str


class Line:
    """One connection to the private path. Each thread has its own."""

    def __init__(self, url: str, access: Access) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=END_SECONDS_MAX)
        self._access = access

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def call(self, command: str, **params: str) -> tuple[str, Any]:
        """Return the code and the data of an answer. Raises Gone when none comes, or one that says so little."""
        signed = {"api_key": self._access.api_key, **params}
        text = "&".join(f"{name}={signed[name]}" for name in sorted(signed)) + f"&secret_key={self._access.secret}"
        sign = hashlib.md5(text.encode()).hexdigest().upper()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        body = urlencode({**signed, "sign": sign})
        try:
            self._connection.request("POST", f"/api/v1/private?command={command}", body, headers)
            answer = json.loads(self._connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._connection.close()
            raise Gone(str(error)) from error
        if answer["code"] in {"-200", "-201"}:
            raise Gone(answer["msg"])
        return answer["code"], answer.get("data")

    def done(self, command: str, **params: str) -> Any:
        """Return the data of an answer that must be a success."""
        code, data = self.call(command, **params)
        assert code == "200", (command, params, code)
        return data


class Seen(NamedTuple):
    """An order as an answer showed it: status, base and quote executed, fee, in smallest units of what was written."""

    status: int
    executed: int
    value: int
    fee: int


def seen(shown: dict[str, Any]) -> Seen:
    """Return what an object of returnOrderTrades or spotbook.order says of an order."""
    amounts = (int(shown[name].replace(".", "")) for name in ("success_total", "success_amount", "fee"))
    return Seen(shown["status"], *amounts)


@dataclass
class Sent:
    """One doTrade, and all that is known of it. `number` is 0 until it was acknowledged; `last` is the latest look.

    An order that `needs_look` was not yet looked at since the last time that the server went away, or was open then.
    """

    params: Params
    number: int = 0
    refused: bool = False
    fenced: bool = False
    cancelled: bool = False
    last: Seen | None = None
    needs_look: bool = True


@dataclass
class Trader:
    """Places, cancels and looks, and remembers. `name` makes its references its own."""

    access: Access
    name: str
    choice: random.Random
    sent: dict[str, Sent] = field(default_factory=dict)
    fills: dict[int, dict[str, Any]] = field(default_factory=dict)
    lost_found: int = 0
    lost_unknown: int = 0
    _numbers: Iterator[int] = field(default_factory=count)

    def trade(self, line: Line) -> None:
        """Do one thing after the other until the server is gone, which it raises."""
        while True:
            deed = self.choice.random()
            acknowledged = [one for one in list(self.sent.values())[-60:] if one.number]
            if deed < 0.6 or not acknowledged:
                self._place(line)
            elif deed < 0.85:
                self._cancel(line, self.choice.choice(acknowledged))
            elif deed < 0.93:
                self._look(line, self.choice.choice(acknowledged))
            elif deed < 0.97:
                self._look_at_fills(line)
            else:
                self._repeat(line, self.choice.choice(acknowledged))

    def _place(self, line: Line) -> None:
        choice = self.choice
        params = {
            "symbol": "BTC_USDT",
            "type": choice.choice("01"),
            "out_trade_no": f"{self.name}-{next(self._numbers)}",
        }
        kind = choice.random()
        if kind < 0.85:
            params |= {"rate": str(choice.randrange(95, 106)), "amount": f"0.{choice.randrange(20, 90)}"}
        elif kind < 0.93:
            params |= {"isMarket": "true", "amount": f"0.{choice.randrange(20, 90)}"}
        else:
            params |= {"isMarket": "true", "funds": str(choice.randrange(20, 90))}
        one = self.sent[params["out_trade_no"]] = Sent(params)
        self._take(one, *line.call("doTrade", **params))

    @staticmethod
    def _take(one: Sent, code: str, data: Any) -> None:
        """Remember the answer to a doTrade."""
        if code == "200":
            assert one.number in {0, data["orderNumber"]}, "the same order was answered in two ways"
            one.number = data["orderNumber"]
        else:  # no liquidity, or too little to be worth the least value: a refusal binds nothing
            assert code in {"10009", "10003"}, code
            assert "isMarket" in one.params
            assert not one.number
            one.refused = True

    def _cancel(self, line: Line, one: Sent) -> None:
        code, data = line.call("cancelOrder", orderNumber=str(one.number))
        if code == "200":
            assert data == {"clientOrderId": one.number}
            assert one.last is None or one.last.status in OPEN, "a closed order was cancelled"
            assert not one.cancelled, "an order was cancelled twice"
            one.cancelled = True
        else:
            assert code == "10009", code

    def _repeat(self, line: Line, one: Sent) -> None:
        self._take(one, *line.call("doTrade", **one.params))

    def _look(self, line: Line, one: Sent) -> None:
        """Look at an acknowledged order: it is what it was, or further on its way."""
        shown = line.done("returnOrderTrades", orderNumber=str(one.number))
        now, before = seen(shown), one.last
        assert (shown["tradeID"], shown["currencyPair"]) == (one.number, "BTC_USDT")
        if one.cancelled:
            assert now.status == CANCELLED, "a cancel was acknowledged and is lost"
        if "isMarket" in one.params:
            assert now.status not in OPEN
        if before is not None:
            assert now == before or (before.status in OPEN and now[1:] >= before[1:]), (before, now)
        one.last = now
        one.needs_look = now.status in OPEN

    def _look_at_fills(self, line: Line) -> None:
        for fill in line.done("getUserTrades", symbol="BTC_USDT", limit="20")["list"]:
            self.fills[fill["tradeId"]] = fill

    # --- after the server was gone and is back -----------------------------------------------------------------------

    def check(self, line: Line, *, everything: bool = False) -> None:
        """What was acknowledged is there: each order as it was answered, each fill as it was shown."""
        for one in self.sent.values():
            if one.number and (everything or one.needs_look):
                self._look(line, one)
        there: dict[int, dict[str, Any]] = {}
        asked: dict[str, str] = {}
        oldest = min(self.fills, default=0)
        while self.fills and (not there or min(there) > oldest):
            page = line.done("getUserTrades", symbol="BTC_USDT", limit="100", **asked)["list"]
            assert page, "a fill was shown and is lost"
            there |= {fill["tradeId"]: fill for fill in page}
            asked = {"after": str(min(there))}
        assert {number: there.get(number) for number in self.fills} == self.fills
        if not everything:  # the oldest are looked at again in the end
            self.fills = dict(sorted(self.fills.items())[-200:])

    def settle(self, line: Line) -> None:
        """Find out what became of every order whose answer was lost, so that nothing is open to doubt."""
        for reference, one in self.sent.items():
            if one.number or one.refused or one.fenced:
                continue
            found = line.done("spotbook.order", out_trade_no=reference)
            if found["state"] == "accepted":
                self.lost_found += 1
                one.number = found["order"]["tradeID"]
                assert found["order"]["out_trade_no"] == reference
                self._repeat(line, one)
                one.last = None
                self._look(line, one)
            else:
                assert found == {"state": "unknown"}
                self.lost_unknown += 1
                self._settle_unknown(line, reference, one)

    def _settle_unknown(self, line: Line, reference: str, one: Sent) -> None:
        if self.choice.random() < 0.5:  # it is sent again, and comes to the same as if it had never been lost
            self._repeat(line, one)
            return
        assert line.done("spotbook.order", out_trade_no=reference, fence="true") == {"state": "unknown"}
        one.fenced = True
        self.check_fenced(line, reference, one)

    def check_fenced(self, line: Line, reference: str, one: Sent) -> None:
        """What was fenced off stays so: the order itself, arriving late, is refused."""
        assert line.call("doTrade", **one.params)[0] == "10008"
        assert line.done("spotbook.order", out_trade_no=reference) == {"state": "unknown"}
