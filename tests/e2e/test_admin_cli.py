"""An operator's day on the command line, against a running server."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest

from spotbook.client import AuthenticationError, Client
from support.traders import Access, Line

pytestmark = pytest.mark.e2e

Run = Callable[..., subprocess.CompletedProcess[str]]


class Demo(Protocol):
    url: str
    admin_url: str
    admin_token: str
    account_id: int
    api_key: str
    secret_key: str


class Operator:
    """Runs `spotbook admin …` with a token."""

    def __init__(self, spotbook: Run, url: str, token: str) -> None:
        self._spotbook = spotbook
        self._environment = {"SPOTBOOK_ADMIN_URL": url, "SPOTBOOK_ADMIN_TOKEN": token}

    def __call__(self, *args: str | int) -> Any:
        """Return what it prints with --json."""
        result = self.run(*args, "--json")
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    def run(self, *args: str | int) -> subprocess.CompletedProcess[str]:
        return self._spotbook("admin", *map(str, args), environment=self._environment)

    def refusal(self, *args: str | int) -> str:
        result = self.run(*args)
        assert result.returncode == 1
        assert result.stdout == ""
        assert result.stderr.startswith("spotbook: ")
        assert result.stderr.count("\n") == 1
        return result.stderr


@pytest.fixture(scope="module")
def operator(module_demo: Demo, spotbook: Run) -> Operator:
    return Operator(spotbook, module_demo.admin_url, module_demo.admin_token)


def test_accounts_deposits_and_what_they_make(operator: Operator) -> None:
    account = operator("accounts", "add", "alice")["id"]
    assert operator("accounts", "show", account)["frozen"] is False
    assert account in [row["id"] for row in operator("accounts", "list", "--after", account - 1)["accounts"]]
    deposit = ("deposits", "add", account, "BTC", "0.50", "--txid", "t1", "--index", 1, "--chain", "bitcoin")
    made = operator(*deposit)
    assert (made["amount"], made["version"]) == ("0.5", 1)
    assert operator(*deposit) == made
    told = operator.refusal(
        "deposits", "add", account, "BTC", "0.51", "--txid", "t1", "--index", 1, "--chain", "bitcoin"
    )
    assert "exists already and differs" in told
    assert '"amount":"0.5"' in told
    (listed,) = operator("deposits", "list", account)["deposits"]
    assert listed.items() >= made.items()
    assert operator("accounts", "balances", account) == {
        "version": 1,
        "balances": {"BTC": {"available": "0.5", "frozen": "0"}},
    }
    (entry,) = operator("accounts", "entries", account, "--limit", 5)["entries"]
    assert entry["available"] == {"before": "0", "after": "0.5"}
    assert operator("accounts", "holds", account) == {"version": 1, "holds": []}
    assert operator("accounts", "wealth", account)["parent"] == account
    for noun in ("balances", "entries", "holds"):
        assert operator.run("accounts", noun, account).returncode == 0


def test_keys_are_made_listed_and_revoked(operator: Operator, module_demo: Demo) -> None:
    account = operator("accounts", "add", "bob")["id"]
    permissions = ("--permission", "trade", "--permission", "read")
    key = operator("keys", "add", account, *permissions, "--allow", "127.0.0.0/8", "--label", "bot")
    assert (key["permissions"], key["allow"], key["label"]) == (["read", "trade"], ["127.0.0.0/8"], "bot")
    with Client(key["api_key"], key["secret_key"], module_demo.url) as client:
        assert len(client.complete_balances()) == 0
        (listed,) = operator("keys", "list", account)["keys"]
        assert "secret_key" not in listed
        assert operator("keys", "revoke", account, key["api_key"])["revoked"] is True
        with pytest.raises(AuthenticationError):
            client.complete_balances()
    assert "does not exist" in operator.refusal("keys", "revoke", account, "none")
    assert "not found" in operator.refusal("keys", "revoke", account, "none/such")
    assert operator.refusal("keys", "add", account, "--permission", "read", "--allow", "everywhere")
    assert operator.run("keys", "add", account, "--permission", "fly").returncode == 2


def test_assets_and_markets(operator: Operator) -> None:
    assert operator("assets", "add", "DOGE", "--scale", 4, "--supply-max", "200000000000")["asset"] == "DOGE"
    assert "DOGE" in [row["asset"] for row in operator("assets", "list")["assets"]]
    assert "differs" in operator.refusal("assets", "add", "DOGE", "--scale", 5, "--supply-max", "200000000000")
    decimals = ("--price-decimals", 6, "--amount-decimals", 2)
    ranges = ("--price-min", "0.000001", "--price-max", "10", "--amount-min", "1", "--amount-max", "100000000")
    fees = ("--maker-fee-ppm", 0, "--taker-fee-ppm", 1000, "--value-min", "1")
    made = operator("markets", "add", "DOGE_USDT", *decimals, *ranges, *fees, "--state", "off")
    assert (made["symbol"], made["state"], made["self_trade"]) == ("DOGE_USDT", "off", "cancel_newest")
    assert (made["value_max"], made["orders_max"], made["bound_ppm"]) == ("0", 10_000, 100_000)
    assert [row["symbol"] for row in operator("markets", "list")["markets"]] == ["BTC_USDT", "ETH_USDT", "DOGE_USDT"]
    rules = ("--state", "cancel_only", "--value-max", "500", "--orders-max", 7, "--bound-ppm", 0, "--maker-fee-ppm", 10)
    changed = operator("markets", "change", "DOGE_USDT", *rules)
    given = {"state": "cancel_only", "value_max": "500", "orders_max": 7, "bound_ppm": 0, "maker_fee_ppm": 10}
    assert changed == {**made, **given}
    assert changed in operator("markets", "list")["markets"]
    assert "does not exist" in operator.refusal("markets", "change", "DOGE_BTC", "--state", "on")
    assert "without an exponent" in operator.refusal("markets", "change", "DOGE_USDT", "--price-max", "1e6")
    assert operator.run("markets", "change", "DOGE_USDT", "--state", "open").returncode == 2


def test_orders_are_seen_and_cancelled(operator: Operator, module_demo: Demo) -> None:
    account = operator("accounts", "add", "dave")["id"]
    operator("deposits", "add", account, "ETH", "5", "--txid", "for-dave")
    key = operator("keys", "add", account, "--permission", "trade")
    order = {"symbol": "ETH_USDT", "type": "1", "rate": "3000"}
    with Line(module_demo.url, Access(account, key["api_key"], key["secret_key"])) as line:
        numbers = [line.done("doTrade", **order, amount=amount)["orderNumber"] for amount in ("1", "0.5", "0.25")]
    first, second = operator("orders", "list", account, "--limit", 2)["orders"]
    assert [first["id"], second["id"]] == numbers[:2]
    assert (first["symbol"], first["price"], second["amount"]) == ("ETH_USDT", "3000", "0.5")
    (third,) = operator("orders", "list", account, "--symbol", "ETH_USDT", "--after", second["id"])["orders"]
    assert operator("orders", "list", account, "--symbol", "BTC_USDT")["orders"] == []
    assert operator("orders", "cancel", account, first["id"])["status"] == "cancelled"
    assert "already closed" in operator.refusal("orders", "cancel", account, first["id"])
    assert operator("orders", "cancel-all", account, "--symbol", "BTC_USDT") == {"account": account, "cancelled": True}
    assert [hold["id"] for hold in operator("accounts", "holds", account)["holds"]] == [second["id"], third["id"]]
    assert operator("orders", "cancel-all", account)["cancelled"] is True
    assert operator("orders", "list", account) == {"orders": [], "next": None}
    assert operator("accounts", "balances", account)["balances"]["ETH"] == {"available": "5", "frozen": "0"}
    assert operator.run("orders", "list", account).returncode == 0


def test_tokens_do_what_their_roles_say(operator: Operator, module_demo: Demo, spotbook: Run, tmp_path: Path) -> None:
    made = operator("tokens", "add", "reader/1", "--role", "view")
    only_views = Operator(spotbook, module_demo.admin_url, made["token"])
    assert only_views("status")["standing"]["standing"] == "running"
    assert "permission" in only_views.refusal("accounts", "add", "mallory")
    file = tmp_path / "token"
    file.write_text(made["token"] + "\n")
    by_file = spotbook("admin", "--admin-url", module_demo.admin_url, "--token-file", file, "status", "--json")
    assert json.loads(by_file.stdout)["writer"] == "running"
    assert operator("tokens", "revoke", "reader/1")["revoked"] is True
    assert only_views.refusal("status")
    assert made["token"] not in operator.run("tokens", "list").stdout


def test_freezing_and_halting(operator: Operator) -> None:
    account = operator("accounts", "add", "carol")["id"]
    assert operator("freeze", account, "--reason", "asked by carol")["frozen"] is True
    assert operator("thaw", account, "--reason", "asked again")["frozen"] is False
    assert operator("halt", "--reason", "drill")["standing"] == "halted"
    assert operator("status")["standing"]["reason"] == "drill"
    assert operator("resume", "--reason", "drill over")["standing"] == "running"
    assert operator.run("halt").returncode == 2  # without a reason


def test_bans_limits_and_the_audit(operator: Operator) -> None:
    assert operator("bans", "list")["bans"] == []
    assert operator("bans", "lift", "user:1001@2001:db8::/64")["lifted"] is True
    assert operator.refusal("bans", "lift", "nobody")
    assert operator("limits")["commands"]["returnCompleteBalances"] == {"calls": 5, "window_ms": 2000}
    report = operator("audit")
    assert report["ok"] is True
    told = operator.run("audit")
    assert told.returncode == 0
    assert report["hash"] in told.stdout
