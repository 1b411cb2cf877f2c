"""What the operator and the program itself do, and what the model makes of it."""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from simulator.books import MILLION, WORLD, Books, Key, Market, No
from simulator.figures import number

ROLES = ("view", "operate", "money")
KEYS_MAX = 20
_HASH = re.compile(r"(0[xX])?[0-9a-fA-F]{64}")


class Deed(NamedTuple):
    """A command that comes by no signed call. `actor` is a token's name and a role, or nothing: the program's own."""

    kind: str
    args: Mapping[str, Any]
    actor: tuple[str, str] | None = None


def carry_out(books: Books, deed: Deed, now: int) -> tuple[bool, Any]:
    """Return whether anything was changed, and what the result names; raise No."""
    if deed.actor is not None:
        token, role = deed.actor
        roles, revoked = books.tokens.get(token, ((), True))
        if revoked:
            raise No("TokenNotLive")
        if role not in roles:
            raise No("PermissionMissing", role)
    return _DEEDS[deed.kind](books, deed.args, now)


def _user(books: Books, account: int) -> int:
    if account in books.frozen:
        return account
    raise No("NotAUser" if 0 < account <= 2 or account in books.wealth.values() else "UnknownAccount")


def _found(books: Books, args: Mapping[str, Any], now: int) -> tuple[bool, Any]:
    return True, ""


def _make_asset(books: Books, args: Mapping[str, Any], now: int) -> tuple[bool, Any]:
    name, scale = args["name"], args["scale"]
    units = int(args["supply_max"]) * 10**scale
    if name in books.scales:
        if (books.scales[name], books.supplies[name]) != (scale, units):
            raise No("AssetDiffers")
        return False, ""
    books.scales[name], books.supplies[name] = scale, units
    return True, ""


def _make_market(books: Books, args: Mapping[str, Any], now: int) -> tuple[bool, Any]:
    base, quote = args["symbol"].split("_")
    pd, ad = args["price_decimals"], args["amount_decimals"]
    first = books.markets.get(args["symbol"])
    market = Market(
        first.number if first else len(books.markets) + 1,
        args["symbol"],
        base,
        quote,
        pd,
        ad,
        number(args["value_min"], books.scales[quote], "value_min"),
        number(args["value_max"] or "0", books.scales[quote], "value_max"),
        number(args["price_min"], pd, "price_min"),
        number(args["price_max"], pd, "price_max"),
        number(args["amount_min"], ad, "amount_min"),
        number(args["amount_max"], ad, "amount_max"),
        args["maker_fee_ppm"],
        args["taker_fee_ppm"],
        args["self_trade"],
        args["state"],
        args["orders_max"],
        args["bound_ppm"],
        10 ** (books.scales[base] - ad),
        10 ** (books.scales[quote] - pd - ad),
    )
    if first is not None:
        if first != market:
            raise No("MarketDiffers")
        return False, ""
    books.markets[market.symbol] = market
    books.standing[market.symbol] = []
    return True, ""


def _change_market(books: Books, args: Mapping[str, Any], now: int) -> tuple[bool, Any]:
    before = books.markets.get(args["symbol"])
    if before is None:
        raise No("UnknownMarket")
    given: dict[str, Any] = {}
    for name, value in args.items():
        if name.startswith("value_"):
            given[name] = number(value, books.scales[before.quote], name)
        elif name.startswith("price_"):
            given[name] = number(value, before.price_decimals, name)
        elif name.startswith("amount_"):
            given[name] = number(value, before.amount_decimals, name)
        elif name != "symbol":
            given[name.removesuffix("_ppm")] = value
    after = before._replace(**given)
    _check_rules(after)
    if after == before:
        return False, ""
    books.markets[after.symbol] = after
    for order in books.standing[after.symbol]:
        order.market = after
    return True, ""


def _check_rules(market: Market) -> None:
    for about, wrong in (
        ("price_min", market.price_min < 1),
        ("price_max", market.price_max < market.price_min),
        ("amount_min", market.amount_min < 1),
        ("amount_max", market.amount_max < market.amount_min),
        ("maker_fee_ppm", not 0 <= market.maker_fee <= MILLION),
        ("taker_fee_ppm", not 0 <= market.taker_fee <= MILLION),
        ("value_max", 0 < market.value_max < market.value_min),
        ("orders_max", not 1 <= market.orders_max <= 10_000),
        ("bound_ppm", not 0 <= market.bound <= MILLION),
        ("self_trade", market.self_trade not in {"cancel_newest", "cancel_oldest"}),
        ("state", market.state not in {"on", "cancel_only", "off"}),
    ):
        if wrong:
            raise No("Invalid", about)


def _open_account(books: Books, args: Mapping[str, Any], now: int) -> tuple[bool, Any]:
    books.accounts = max(books.accounts + 1, 1_001)
    books.frozen[books.accounts] = False
    return True, books.accounts


def _open_wealth(books: Books, args: Mapping[str, Any], now: int) -> tuple[bool, Any]:
    user = _user(books, args["account"])
    if user in books.wealth:
        return False, books.wealth[user]
    books.accounts = max(books.accounts + 1, 1_001)
    books.wealth[user] = books.accounts
    return True, books.accounts


def _freeze(books: Books, args: Mapping[str, Any], now: int) -> tuple[bool, Any]:
    account = _user(books, args["account"])
    changes = books.frozen[account] != args["frozen"]
    books.frozen[account] = args["frozen"]
    return changes, account


def _deposit(books: Books, args: Mapping[str, Any], now: int) -> tuple[bool, Any]:
    account, asset = _user(books, args["account"]), args["asset"]
    if asset not in books.scales:
        raise No("UnknownAsset")
    units = number(args["amount"], books.scales[asset], "amount")
    if units == 0:
        raise No("Invalid", "amount")
    txid = args["txid"]
    if _HASH.fullmatch(txid):
        txid = txid.lower().removeprefix("0x")
    name = asset, args["chain"], txid, args["txid_index"]
    if name in books.deposits:
        first = books.deposits[name]
        if first[:2] != (account, units):
            raise No("DepositDiffers")
        return False, first[2]
    if units - books.free.get((WORLD, asset), 0) > books.supplies[asset]:
        raise No("SupplyExceeded")
    books.move(WORLD, asset, -units)
    books.move(account, asset, units)
    books.deposits[name] = account, units, len(books.deposits) + 1
    return True, len(books.deposits)


def _make_key(books: Books, args: Mapping[str, Any], now: int) -> tuple[bool, Any]:
    account = _user(books, args["account"])
    if 0 < args["expires_at"] <= now:
        raise No("Invalid", "expires_at")
    if args["api_key"] in books.keys:
        raise No("KeyExists")
    if sum(1 for key in books.keys.values() if key.account == account and key.live(now)) >= KEYS_MAX:
        raise No("TooMany")
    names = ("api_key", "secret", "account", "permissions", "allow", "expires_at", "strict")
    books.keys[args["api_key"]] = Key(*(args[name] for name in names))
    return True, ""


def _revoke_key(books: Books, args: Mapping[str, Any], now: int) -> tuple[bool, Any]:
    key = books.keys.get(args["api_key"])
    if key is None or key.account != args["account"]:
        raise No("UnknownKey")
    changes = not key.revoked
    key.revoked = True
    return changes, ""


def _make_token(books: Books, args: Mapping[str, Any], now: int) -> tuple[bool, Any]:
    if args["name"] in books.tokens:
        raise No("TokenExists")
    books.tokens[args["name"]] = args["roles"], False
    return True, ""


def _revoke_token(books: Books, args: Mapping[str, Any], now: int) -> tuple[bool, Any]:
    if args["name"] not in books.tokens:
        raise No("UnknownToken")
    roles, revoked = books.tokens[args["name"]]
    books.tokens[args["name"]] = roles, True
    return not revoked, ""


def _record_ban(books: Books, args: Mapping[str, Any], now: int) -> tuple[bool, Any]:
    books.bans[args["subject"], args["began"]] = args["kind"], args["until"]
    return True, ""


def _lift_ban(books: Books, args: Mapping[str, Any], now: int) -> tuple[bool, Any]:
    books.lifts[args["subject"]] = args["lifted_at"]
    return True, ""


def _halt(books: Books, args: Mapping[str, Any], now: int) -> tuple[bool, Any]:
    changes = not books.halted
    books.halted = True
    return changes, ""


def _stop(books: Books, args: Mapping[str, Any], now: int) -> tuple[bool, Any]:
    books.stopped, books.halted = True, False
    return True, ""


def _resume(books: Books, args: Mapping[str, Any], now: int) -> tuple[bool, Any]:
    changes = books.halted or books.stopped
    books.halted = books.stopped = False
    return changes, ""


_DEEDS: dict[str, Callable[[Books, Mapping[str, Any], int], tuple[bool, Any]]] = {
    "found": _found,
    "make_asset": _make_asset,
    "make_market": _make_market,
    "change_market": _change_market,
    "open_account": _open_account,
    "open_wealth": _open_wealth,
    "freeze": _freeze,
    "deposit": _deposit,
    "make_key": _make_key,
    "revoke_key": _revoke_key,
    "make_token": _make_token,
    "revoke_token": _revoke_token,
    "record_ban": _record_ban,
    "lift_ban": _lift_ban,
    "halt": _halt,
    "stop": _stop,
    "resume": _resume,
}
