"""The ledger against a naive model: whatever is asked of it, in whatever order, both come to the same.

The model is dicts of plain numbers. It shares no code with the domain: it writes and compares amounts and txids in
its own way, and says beforehand what each command must come to. The invariants are the design's, by their numbers.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from spotbook.app import journal
from spotbook.domain import errors
from spotbook.domain.apply import apply
from spotbook.domain.commands import (
    Command,
    FoundBooks,
    FreezeAccount,
    MakeAsset,
    MakeKey,
    OpenAccount,
    OpenWealth,
    Resume,
    RevokeKey,
    StopWriter,
)
from spotbook.domain.commands import Deposit as DepositCommand
from spotbook.domain.credentials import Actor, KeyHolder
from spotbook.domain.events import Entry, Event, HoldChanged
from spotbook.domain.ledger import Draft
from spotbook.domain.state import HoldKey, State, empty_state
from support.books import Bench
from support.commands import HOUSE
from support.open_orders import books_of

Pair = tuple[int, int]

WORLD = 1
ASSETS = {1: ("BTC", 8, 21_000_000 * 10**8), 2: ("TOY", 0, 100), 3: ("WEI", 18, 2**62 - 1)}
"""Number: name, scale, supply. TOY runs out, and WEI is as large as an amount can be."""

HASH = "c0ffee" + "0" * 58
TXIDS = ["a", "A", "b", HASH, HASH.upper(), "0x" + HASH, "0X" + HASH.upper()]


class Hold(NamedTuple):
    """What the model remembers of a hold: of which account and asset, and what it was ever given."""

    account: int
    asset: int
    kind: str
    id: int


class Model:
    """The books as a child would keep them."""

    def __init__(self) -> None:
        self.kinds: dict[int, str] = {1: "world", 2: "fees"}
        self.wealth: dict[int, int] = {}
        self.frozen: set[int] = set()
        self.available: dict[Pair, int] = defaultdict(int)
        self.held: dict[Pair, int] = defaultdict(int)
        self.holds: dict[Hold, int] = {}
        self.versions: dict[int, int] = defaultdict(int)
        self.deposits: dict[tuple[int, str, str, int], tuple[int, int, int]] = {}
        self.keys: dict[str, dict[str, Any]] = {}
        self.stopped = False

    def users(self) -> list[int]:
        return [number for number, kind in self.kinds.items() if kind == "user"]

    def everybody(self) -> list[int]:
        return [number for number in self.kinds if number != WORLD]

    def copy(self) -> "Model":
        other = Model()
        for name, value in vars(self).items():
            setattr(other, name, value.copy() if hasattr(value, "copy") else value)
        return other

    def move(self, account: int, asset: int, available: int, held: int) -> None:
        self.available[account, asset] += available
        self.held[account, asset] += held
        self.versions[account] += 1

    def live_keys(self, account: int, now: int) -> int:
        held = [key for key in self.keys.values() if key["account"] == account]
        return sum(1 for key in held if not key["revoked"] and (not key["expires"] or key["expires"] > now))


def written(units: int, scale: int) -> str:
    """Write an amount without any help of the domain's."""
    if not scale:
        return str(units)
    whole, rest = divmod(units, 10**scale)
    return f"{whole}.{rest:0{scale}d}"


def same(txid: str) -> str:
    """Return a txid as it compares, for those of `TXIDS` and others of the tests' own."""
    bare = txid[2:] if txid[:2] in {"0x", "0X"} else txid
    return bare.lower() if len(bare) == 64 else txid


class Leg(NamedTuple):
    """One step of a transaction, as it is drawn: what, of which balance or hold, to whom, how much of what is there.

    `part` is in hundredths of what is available or owned; beyond a hundred it is more than there is.
    """

    what: str
    which: int
    other: int
    part: int


LEGS = st.builds(
    Leg,
    st.sampled_from(["freeze", "release", "spend", "transfer"]),
    st.integers(0, 20),
    st.integers(0, 20),
    st.sampled_from([1, 25, 50, 50, 50, 99, 100, 100, 100, 101, 150]),
)


class LedgerMachine(RuleBasedStateMachine):
    """Rules say what may happen; each says what must come of it. Invariants are asked after every one."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench()
        self.model = Model()
        self.next_hold = 1
        self.transactions: list[list[Event]] = []

    @initialize()
    def found(self) -> None:
        self.done(FoundBooks())
        for name, scale, supply in ASSETS.values():
            self.done(MakeAsset(name, scale, written(supply, scale)))
        self.open_account()
        for asset in ASSETS:
            self.try_deposit(self.model.users()[0], 60, (asset, "", "first", 0))

    # --- what comes of a command ----------------------------------------------------------------

    def done(self, command: Command, actor: Actor = HOUSE, *, fresh: bool = True) -> Any:
        """Carry the command out, which must be admitted."""
        decision = self.bench.decide(command, actor)
        assert decision.fresh == fresh
        assert bool(decision.events) == fresh
        self.apply(decision.events)
        return decision.result

    def refused(self, kind: type[errors.Refusal], command: Command, actor: Actor = HOUSE) -> None:
        """Ask for the command, which must be refused so."""
        with pytest.raises(errors.Refusal) as refusal:
            self.bench.decide(command, actor)
        assert type(refusal.value) is kind

    def apply(self, events: Sequence[Event]) -> None:
        self.bench.apply(*events)
        if events:
            self.transactions.append(list(events))

    def run(self, command: Command, expected: type[errors.Refusal] | None, actor: Actor = HOUSE) -> Any:
        """Carry out or have refused, as the model says; a stopped writer refuses everything before that."""
        if self.model.stopped:
            self.refused(errors.WriterStopped, command, actor)
            return None
        if expected:
            self.refused(expected, command, actor)
            return None
        return self.done(command, actor)

    # --- accounts -------------------------------------------------------------------------------

    @rule()
    def open_account(self) -> None:
        account = self.run(OpenAccount("user"), None)
        if account:
            self.model.kinds[account.id] = "user"

    @rule(data=st.data())
    def open_wealth(self, data: st.DataObject) -> None:
        user = data.draw(st.sampled_from([*self.model.kinds, 999]))
        kind = self.model.kinds.get(user)
        if user in self.model.wealth and not self.model.stopped:
            assert self.done(OpenWealth(user), fresh=False).id == self.model.wealth[user]
            return
        expected = None if kind == "user" else errors.NotAUser if kind else errors.UnknownAccount
        account = self.run(OpenWealth(user), expected)
        if account:
            self.model.kinds[account.id] = "wealth"
            self.model.wealth[user] = account.id

    @rule(data=st.data(), frozen=st.booleans())
    def freeze_or_thaw(self, data: st.DataObject, frozen: bool) -> None:
        user = data.draw(st.sampled_from(self.model.users()))
        if (user in self.model.frozen) == frozen and not self.model.stopped:
            self.done(FreezeAccount(user, frozen, "why"), fresh=False)
            return
        if self.run(FreezeAccount(user, frozen, "why"), None):
            (self.model.frozen.add if frozen else self.model.frozen.discard)(user)

    # --- deposits -------------------------------------------------------------------------------

    @rule(
        data=st.data(),
        asset=st.sampled_from(sorted(ASSETS)),
        identity=st.tuples(st.sampled_from(["", "ETH"]), st.sampled_from(TXIDS), st.integers(0, 2)),
        units=st.one_of(st.integers(0, 120), st.integers(0, 2**62 - 1), st.sampled_from(["all", "a unit more"])),
    )
    def deposit(self, data: st.DataObject, asset: int, identity: tuple[str, str, int], units: int | str) -> None:
        if isinstance(units, str):  # of what can still be there of it
            units = ASSETS[asset][2] + self.model.available[WORLD, asset] + (units != "all")
        account = data.draw(st.sampled_from(self.model.users()))
        self.try_deposit(account, units, (asset, *identity))

    def try_deposit(self, account: int, units: int, asked: tuple[int, str, str, int]) -> None:
        """Ask for a deposit and compare what comes of it with what the model says."""
        asset, chain, txid, index = asked
        name, scale, supply = ASSETS[asset]
        command = DepositCommand(account, name, written(units, scale), txid, index, chain)
        identity = (asset, chain, same(txid), index)
        first = self.model.deposits.get(identity)
        if units and first and first[:2] == (account, units) and not self.model.stopped:
            assert self.done(command, fresh=False).version == first[2]
            return
        issued = -self.model.available[WORLD, asset]
        expected: type[errors.Refusal] | None = None
        if not units:
            expected = errors.Invalid
        elif first:
            expected = errors.DepositDiffers
        elif issued + units > supply:
            expected = errors.SupplyExceeded
        made = self.run(command, expected)
        if made:
            self.model.move(WORLD, asset, -units, 0)
            self.model.move(account, asset, units, 0)
            self.model.deposits[identity] = (account, units, made.version)

    @rule(data=st.data(), what=st.sampled_from(["same", "amount", "account"]))
    def repeat_a_deposit(self, data: st.DataObject, what: str) -> None:
        if not self.model.deposits:
            return
        identity = data.draw(st.sampled_from(sorted(self.model.deposits)))
        account, units, _ = self.model.deposits[identity]
        asset, chain, txid, index = identity
        if what == "amount":
            units += 1
        if what == "account":
            account = data.draw(st.sampled_from(self.model.users()))
        spelling = data.draw(st.sampled_from([txid, *(other for other in TXIDS if same(other) == txid)]))
        self.try_deposit(account, units, (asset, chain, spelling, index))

    @rule(
        account=st.sampled_from([0, 1, 2, 999, 10**6, 2**64, -1]),
        text=st.sampled_from(["1", "1e5", "NaN", "-1", " 1", "0.0000000000000000001", "99999999999999999999"]),
        name=st.sampled_from(["BTC", "ETH"]),
    )
    def deposit_badly(self, account: int, text: str, name: str) -> None:
        kinds = {1: errors.NotAUser, 2: errors.NotAUser}
        self.run(DepositCommand(account, name, text, "bad", 0, ""), kinds.get(account, errors.UnknownAccount))
        if name == "ETH":
            self.run(DepositCommand(self.model.users()[0], name, text, "bad", 0, ""), errors.UnknownAsset)
        elif text != "1":
            malformed = errors.AmountTooPrecise if text.startswith("0.") else errors.AmountMalformed
            kind = errors.AmountTooLarge if text.startswith("9") else malformed
            self.run(DepositCommand(self.model.users()[0], name, text, "bad", 0, ""), kind)

    # --- transactions through a draft -----------------------------------------------------------

    @rule(legs=st.lists(LEGS, min_size=1, max_size=8))
    def transact(self, legs: list[Leg]) -> None:
        """Draw up several legs as one transaction. The first that is not covered refuses the whole."""
        draft, model = Draft(self.bench.state), self.model.copy()
        for leg in legs:
            short = self.draw_up(leg, draft, model)
            if short:
                return  # the draft is abandoned, and nothing of it may be seen: the invariants look
        self.apply(draft.close())
        self.model = model

    def draw_up(self, leg: Leg, draft: Draft, model: Model) -> bool:
        """Add one leg to the draft and to the model; return whether it was, rightly, refused."""
        people = model.everybody()
        other = people[leg.other % len(people)]
        if leg.what in {"freeze", "transfer"}:
            there = sorted(key for key, units in model.available.items() if units > 0)
            return bool(there) and self.take(leg, there[leg.which % len(there)], other, draft, model)
        holds = sorted(model.holds)
        if holds:
            self.give(leg, holds[leg.which % len(holds)], other, draft, model)
        return False

    def take(self, leg: Leg, balance: Pair, other: int, draft: Draft, model: Model) -> bool:
        """Take from what is available, for a hold or for another account; return whether it was refused."""
        account, asset = balance
        available = model.available[balance]
        amount = max(1, available * leg.part // 100) if leg.part <= 100 else available + leg.part - 100
        hold = Hold(account, asset, "order" if leg.other % 2 else "withdrawal", self.next_hold)
        self.next_hold += 1

        def ask() -> None:
            if leg.what == "freeze":
                draft.freeze(HoldKey(*hold), amount, why="place")
            else:
                draft.move(account, asset, available=-amount, why="transfer", ref=0)

        if amount > available:
            self.short(ask, amount, available)
            return True
        ask()
        if leg.what == "freeze":
            model.move(account, asset, -amount, amount)
            model.holds[hold] = amount
        else:
            model.move(account, asset, -amount, 0)
            draft.move(other, asset, available=amount, why="transfer", ref=0)
            model.move(other, asset, amount, 0)
        return False

    @staticmethod
    def give(leg: Leg, hold: Hold, other: int, draft: Draft, model: Model) -> None:
        """Give back what a hold owns, or spend it on another account."""
        amount = max(1, model.holds[hold] * min(leg.part, 100) // 100)
        model.holds[hold] -= amount
        if not model.holds[hold]:
            del model.holds[hold]
        if leg.what == "release":
            draft.release(HoldKey(*hold), amount, why="release")
            model.move(hold.account, hold.asset, amount, -amount)
            return
        draft.spend(HoldKey(*hold), amount, why="spend")
        model.move(hold.account, hold.asset, 0, -amount)
        draft.move(other, hold.asset, available=amount, why="receive", ref=0)
        model.move(other, hold.asset, amount, 0)

    @staticmethod
    def short(ask: Callable[[], None], needed: int, available: int) -> None:
        with pytest.raises(errors.InsufficientBalance) as refusal:
            ask()
        assert (refusal.value.needed, refusal.value.available) == (needed, available)

    @rule(data=st.data(), how=st.sampled_from(["money from nothing", "frozen without a hold", "too much", "it twice"]))
    def break_the_rules(self, data: st.DataObject, how: str) -> None:
        """A transaction that does not add up never closes, and changes nothing."""
        draft = Draft(self.bench.state)
        user = data.draw(st.sampled_from(self.model.users()))
        try:
            if how == "money from nothing":
                draft.move(user, 2, available=1, why="x", ref=0)
            elif how == "frozen without a hold":
                draft.move(user, 2, frozen=1, why="x", ref=0)
                draft.move(user, 2, available=1, why="x", ref=0)
                draft.move(WORLD, 2, available=-2, why="x", ref=0)
            else:
                hold = data.draw(st.sampled_from(sorted(self.model.holds) or [Hold(user, 2, "order", 10**9)]))
                owned = self.model.holds.get(hold, 0)
                if how == "it twice":
                    draft.release(HoldKey(*hold), owned, why="x")
                draft.release(HoldKey(*hold), owned + (how == "too much" or not owned), why="x")
            draft.close()
        except errors.InvariantBroken:
            return
        raise AssertionError(f"a transaction with {how} was closed")

    # --- keys, time, stops ----------------------------------------------------------------------

    @rule(data=st.data(), lives=st.sampled_from([0, 0, 1, 50]), count=st.sampled_from([1, 1, 9]))
    def make_keys(self, data: st.DataObject, lives: int, count: int) -> None:
        user = data.draw(st.sampled_from(self.model.users()))
        for _ in range(count):
            name = f"key-{len(self.model.keys)}"
            expires = self.bench.now + lives if lives else 0
            full = self.model.live_keys(user, self.bench.now) >= 20
            command = MakeKey(user, name, ("read",), (), "", self.bench.now, expires)
            if self.run(command, errors.TooMany if full else None):
                self.model.keys[name] = {"account": user, "expires": expires, "revoked": False}

    @rule(data=st.data())
    def revoke_a_key(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from([*sorted(self.model.keys), "nothing"]))
        key = self.model.keys.get(name, {"account": 1001, "revoked": False})
        command = RevokeKey(key["account"], name, self.bench.now)
        if key["revoked"] and not self.model.stopped:
            self.done(command, fresh=False)
        elif self.run(command, None if name in self.model.keys else errors.UnknownKey):
            key["revoked"] = True

    @rule(data=st.data(), permission=st.sampled_from(["read", "trade"]))
    def act_with_a_key(self, data: st.DataObject, permission: Any) -> None:
        name = data.draw(st.sampled_from([*sorted(self.model.keys), "nothing"]))
        key = self.model.keys.get(name)
        live = key and not key["revoked"] and (not key["expires"] or self.bench.now < key["expires"])
        expected = None if live and permission == "read" else errors.PermissionMissing if live else errors.KeyNotLive
        account = self.run(OpenAccount("user"), expected, KeyHolder(name, permission))
        if account:
            self.model.kinds[account.id] = "user"

    @rule(data=st.data(), early=st.booleans())
    def wait_for_a_key_to_expire(self, data: st.DataObject, early: bool) -> None:
        """Until the millisecond of its expiry, or the one before."""
        times = sorted({key["expires"] for key in self.model.keys.values() if key["expires"] > self.bench.now})
        if times:
            self.bench.now = data.draw(st.sampled_from(times)) - early

    @rule()
    def stop_and_resume(self) -> None:
        """Resume is all that a stopped writer takes; one step in between is refused."""
        if self.model.stopped:
            self.done(Resume("checked"))
        else:
            self.done(StopWriter("broke"))
        self.model.stopped = not self.model.stopped

    # --- invariants -----------------------------------------------------------------------------

    @invariant()
    def it_is_what_the_model_says(self) -> None:
        state = self.bench.state
        balances = kept(state, "balances")
        for key in set(balances) | set(self.model.available) | set(self.model.held):
            found = balances.get(key)
            expected = (self.model.available[key], self.model.held[key])
            assert (found[:2] if found else (0, 0)) == expected, key
        assert kept(state, "holds") == self.model.holds
        assert kept(state, "versions") == {key: value for key, value in self.model.versions.items() if value}

    @invariant()
    def invariant_1_world_is_everybody_elses_negative(self) -> None:
        totals: dict[int, int] = defaultdict(int)
        for (_, asset), balance in kept(self.bench.state, "balances").items():
            totals[asset] += balance.available + balance.frozen
        assert not any(totals.values())

    @invariant()
    def invariant_2_the_legs_of_each_transaction_sum_to_zero(self) -> None:
        for events in self.transactions[-1:]:
            totals: dict[int, int] = defaultdict(int)
            for entry in entries(events):
                totals[entry.asset] += entry.available_after - entry.available_before
                totals[entry.asset] += entry.frozen_after - entry.frozen_before
            assert not any(totals.values())

    @invariant()
    def invariant_3_nobody_but_world_is_below_zero_at_any_step(self) -> None:
        for events in self.transactions[-1:]:
            for entry in entries(events):
                assert entry.frozen_after >= 0
                assert entry.available_after >= 0 if entry.account != WORLD else not entry.frozen_after

    @invariant()
    def invariant_4_every_frozen_unit_is_owned_by_a_hold(self) -> None:
        owned: dict[Pair, int] = defaultdict(int)
        for hold, amount in kept(self.bench.state, "holds").items():
            assert amount > 0
            owned[hold.account, hold.asset] += amount
        frozen = {key: balance.frozen for key, balance in kept(self.bench.state, "balances").items() if balance.frozen}
        assert frozen == owned

    @invariant()
    def invariant_5_all_that_was_ever_frozen_is_spent_released_or_owned(self) -> None:
        given: dict[tuple[Any, ...], int] = defaultdict(int)
        for event in self.bench.events:
            if isinstance(event, HoldChanged):
                given[event[:4]] += event.after - event.before
        assert {hold: amount for hold, amount in given.items() if amount} == self.model.holds

    @invariant()
    def invariant_6_entries_are_one_chain_and_sum_to_the_balance(self) -> None:
        sides: dict[Pair, tuple[int, int, int]] = defaultdict(lambda: (0, 0, 0))
        versions: dict[int, int] = defaultdict(int)
        for entry in entries(self.bench.events):
            key = (entry.account, entry.asset)
            assert (entry.available_before, entry.frozen_before) == sides[key][:2]
            assert entry.version == versions[entry.account] + 1
            versions[entry.account] = entry.version
            sides[key] = (entry.available_after, entry.frozen_after, entry.version)
        assert kept(self.bench.state, "balances") == dict(sides)

    @invariant()
    def invariant_7_the_journal_alone_makes_the_same_state(self) -> None:
        transactions = [journal.Transaction("house:test", "Test", events) for events in self.transactions]
        _, again = journal.read(journal.body_of(self.bench.now, transactions))
        state = empty_state()
        for transaction in again:
            apply(state, list(transaction.events))
        for shelf in State.__slots__:
            assert kept(state, shelf) == kept(self.bench.state, shelf), shelf

    @invariant()
    def invariant_9_each_deposit_was_made_once(self) -> None:
        assert len(kept(self.bench.state, "deposits")) == len(self.model.deposits)
        for (asset, chain, txid, index), (account, units, version) in self.model.deposits.items():
            made = kept(self.bench.state, "deposits")[asset, chain, txid, index]
            assert (made.account, made.amount, made.version) == (account, units, version)


def kept(state: State, shelf: str) -> dict[Any, Any]:
    """Return what is on a shelf that is all in memory, or every half of every book."""
    if shelf == "open_orders":
        return {**books_of(state.open_orders)}
    values: dict[Any, Any] = getattr(state, shelf).kept
    return values


def entries(events: Sequence[Event]) -> list[Entry]:
    return [event for event in events if isinstance(event, Entry)]


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(max_examples=200, stateful_step_count=40)
