"""Client-side pacing: wait rather than be refused. It knows the exchange's table of limits.

A call holds its place from before it is sent until its window has gone by since it was *answered*. The exchange counted
it somewhere between the two, so that whatever the network does to the calls on their way, no window of the exchange
ever holds more than it allows, as far as this object has seen the user's calls: share one among all clients of a user.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

__all__ = ["LIMITS", "Limit", "Pacing"]

MARGIN_NS: Final = 1_000_000  # a boundary is whose it is; a millisecond beyond it is nobody's


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `calls` in any `seconds`."""

    calls: int
    seconds: int

    def __post_init__(self) -> None:
        if self.calls < 1 or self.seconds < 1:
            raise ValueError("a limit is at least one call in at least one second")


_TRADE, _LIST, _FUNDS = Limit(30, 2), Limit(5, 2), Limit(3, 1)
_BOARD, _MARKET = Limit(80, 1), Limit(10, 1)

LIMITS: Final[Mapping[str, Limit]] = MappingProxyType(
    {
        "returnCompleteBalances": Limit(5, 2),
        "returnBalances": Limit(3, 1),
        "doTrade": _TRADE,
        "cancelOrder": _TRADE,
        "cancelAllOrder": _TRADE,
        "returnOpenOrders": _TRADE,
        "returnOrderTrades": _TRADE,
        "returnOrderStatus": _TRADE,
        "returnUTradeHistory": _LIST,
        "getUserTrades": Limit(10, 2),
        "getBatchHistoryOrders": _LIST,
        "returnDepositsWithdrawals": _FUNDS,
        "returnDepositAddresses": _FUNDS,
        "doWithdraw": _FUNDS,
        "cancelWithdraw": _FUNDS,
        "spotWealthTransfer": Limit(1, 1),
        "subAccount_list": _FUNDS,
        "subAccount_apikey": _FUNDS,
        "reset_subAccount_apikey": _FUNDS,
        "subAccount_transferAvailable": _FUNDS,
        "subAccount_transfer": _FUNDS,
        "returnTransferHistory": _FUNDS,
        "spotbook.holds": _LIST,
        "spotbook.order": _TRADE,
        "returnSymbol": _BOARD,
        "returnTicker": _BOARD,
        "returnCurrencies": _BOARD,
        "return24hVolume": _BOARD,
        "timestamp": _BOARD,
        "returnOrderBook": _MARKET,
        "returnTradeHistory": _MARKET,
        "returnChartData": _MARKET,
    }
)
"""The limits of the private commands per user, all keys together, and of the public ones per address."""

OVERALL: Final = Limit(100, 1)
"""All calls from one address together; the limit per user is wider."""

OLD_NAMES: Final = MappingProxyType(
    {"cancelAll": "cancelAllOrder", "getDepositAddress": "returnDepositAddresses", "getOrder": "returnOrderTrades"}
)


@dataclass(slots=True)
class _Window:
    limit: Limit
    under_way: int = 0
    answered_ns: deque[int] = field(default_factory=deque)

    def wait_ns(self, now_ns: int) -> int:
        span_ns = self.limit.seconds * 1_000_000_000 + MARGIN_NS
        while self.answered_ns and now_ns - self.answered_ns[0] >= span_ns:
            self.answered_ns.popleft()
        if self.under_way + len(self.answered_ns) < self.limit.calls:
            return 0
        # When all places are under way, none can be free before a whole window from now.
        return span_ns - (now_ns - self.answered_ns[0]) if self.answered_ns else span_ns


class Pacing:
    """Sliding windows over the calls of one user, from one address. Safe to share among threads and clients.

    `limits` maps commands to limits; a command that is not in it is held by `overall` alone. `clock_ns` is a monotonic
    clock in nanoseconds. The halved limits of a warned user are not known here: give halved `limits` then.
    """

    def __init__(
        self,
        limits: Mapping[str, Limit] = LIMITS,
        *,
        overall: Limit = OVERALL,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._clock_ns = clock_ns
        self._lock = threading.Lock()
        self._overall = _Window(overall)
        self._windows = {command: _Window(limit) for command, limit in limits.items()}

    def take(self, command: str) -> float:
        """0.0 and a place taken, or the seconds to wait before asking again, with no place taken."""
        with self._lock:
            now_ns = self._clock_ns()
            windows = self._of(command)
            wait_ns = max(window.wait_ns(now_ns) for window in windows)
            if wait_ns == 0:
                for window in windows:
                    window.under_way += 1
            return wait_ns / 1_000_000_000

    def answered(self, command: str) -> None:
        """The call that took a place was answered or given up: its window runs from now."""
        with self._lock:
            now_ns = self._clock_ns()
            for window in self._of(command):
                window.under_way -= 1
                window.answered_ns.append(now_ns)

    def _of(self, command: str) -> list[_Window]:
        window = self._windows.get(OLD_NAMES.get(command, command))
        return [self._overall] if window is None else [self._overall, window]
