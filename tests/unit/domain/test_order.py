"""An order's life."""

import pytest

from spotbook.domain.errors import InvariantBroken
from spotbook.domain.order import LIFE, OPEN, Deed, Stage, after

STAGES: tuple[Stage, ...] = ("new", "open", "partly_filled", "filled", "cancelled")
DEEDS: tuple[Deed, ...] = ("rest", "fill_some", "fill_all", "cancel")


@pytest.mark.parametrize(
    ("deeds", "ends"),
    [
        (["rest"], "open"),
        (["rest", "fill_some", "fill_some", "fill_all"], "filled"),
        (["rest", "fill_some", "cancel"], "cancelled"),
        (["rest", "fill_all"], "filled"),
        (["rest", "cancel"], "cancelled"),
        (["fill_some", "fill_all"], "filled"),
        (["fill_some", "cancel"], "cancelled"),
        (["fill_all"], "filled"),
        (["cancel"], "cancelled"),
    ],
    ids=str,
)
def test_a_life_ends_where_the_table_says(deeds: list[Deed], ends: str) -> None:
    status: Stage = "new"
    for deed in deeds:
        status = after(status, deed)
    assert status == ends


@pytest.mark.parametrize("status", ["filled", "cancelled"])
@pytest.mark.parametrize("deed", DEEDS)
def test_nothing_can_be_done_to_a_closed_order(status: Stage, deed: Deed) -> None:
    with pytest.raises(InvariantBroken, match=f"an order that is {status} cannot {deed}"):
        after(status, deed)


@pytest.mark.parametrize("status", OPEN)
def test_an_order_rests_once(status: Stage) -> None:
    with pytest.raises(InvariantBroken):
        after(status, "rest")


def test_the_table_knows_no_other_words() -> None:
    assert {status for status, _ in LIFE} == {"new", *OPEN}
    assert {deed for _, deed in LIFE} == set(DEEDS)
    assert set(LIFE.values()) <= set(STAGES)
