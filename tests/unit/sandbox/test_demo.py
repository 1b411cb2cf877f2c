"""What the demo's books hold."""

from pathlib import Path

import pytest

from spotbook.app.audit import audit
from spotbook.bootstrap import Offline, found
from spotbook.domain.commands import OpenAccount
from spotbook.domain.credentials import House
from spotbook.sandbox.demo import ASSETS, fill, new_secrets

UNITS = [120_000, 40_000_000_000, 10_846_700_000, 3_300_000, 25_751_830_114]
"""0.0012 BTC, 400 CWT, 108.467 SAND, 0.033 ETH, 257.51830114 USDT, at scale 8."""


def test_the_books_of_a_demo(tmp_path: Path) -> None:
    demo = new_secrets()
    found(tmp_path, demo.master_key)
    with Offline(tmp_path, demo.master_key) as offline:
        fill(offline, demo)
        reader = offline.reader
        assets = reader.page("asset", (), (), 10)
        assert assets == [
            (number, name, 8, int(most) * 10**8)
            for number, (name, most) in enumerate(
                [
                    ("BTC", "21000000"),
                    ("CWT", "40000000000"),
                    ("SAND", "40000000000"),
                    ("ETH", "1000000000"),
                    ("USDT", "40000000000"),
                ],
                1,
            )
        ]
        assert [row[1] for row in assets] == [name for name, *_ in ASSETS]
        (account,) = demo.accounts
        sheet = reader.sheet(account.id)
        assert sheet.version == 5
        assert sheet.balances == [(number, units, 0, number) for number, units in enumerate(UNITS, 1)]
        steps = 10**8
        more = (2_000, 2_000, "cancel_newest", "on", 0, 10_000, 100_000)  # no largest value; 10 % from the best price
        assert [row[1:] for row in reader.page("market", (), (), 10)] == [
            ("BTC_USDT", 1, 5, 2, 6, steps, 1, 10**8, 100, 10_000 * steps, *more),
            ("ETH_USDT", 4, 5, 2, 4, steps, 1, 10**8, 10_000, 100_000 * steps, *more),
        ]
        (token,) = reader.page("token", (), (), 10)
        assert token[0] == "demo"
        assert token[3] == "view,operate,money"
        (key,) = reader.page("api_key", (), (), 10)
        assert key[:5] == (account.api_key, account.id, "read,trade,withdraw", "", "demo")
        assert audit(reader).ok


def test_books_that_are_not_empty_are_not_taken_for_a_demos(tmp_path: Path) -> None:
    demo = new_secrets()
    found(tmp_path, demo.master_key)
    with Offline(tmp_path, demo.master_key) as offline:
        offline.execute(OpenAccount("somebody"), House("test"))
        with pytest.raises(RuntimeError, match="not empty"):
            fill(offline, demo)


def test_each_demo_has_secrets_of_its_own() -> None:
    one, two = new_secrets(), new_secrets()
    assert one.accounts[0].id == two.accounts[0].id == 1001
    assert one.master_key != two.master_key
    assert one.admin_token != two.admin_token
    assert one.accounts[0].secret_key != two.accounts[0].secret_key
