"""The client as those who use it see it: what is exported, what both faces have, what it says of itself."""

import inspect
from types import ModuleType
from typing import Any

import pytest

import spotbook.client as package
from spotbook.client import AsyncClient, AsyncPublicClient, Client, PublicClient, errors, market, models, orders, pacing
from support.client_calls import PRIVATE, PUBLIC

FACES = [(PublicClient, AsyncPublicClient), (Client, AsyncClient)]
# What has no case in the table of calls: it needs several pages, or takes any command.
BY_HAND = {"balances", "call", "complete_balances", "from_env", "my_trades", "public_request", "request"}


def methods(face: type) -> dict[str, Any]:
    return {name: getattr(face, name) for name in dir(face) if not name.startswith("_")}


@pytest.mark.parametrize("module", [package, errors, market, models, orders, pacing])
def test_what_is_exported_is_there_and_sorted(module: ModuleType) -> None:
    names = module.__all__
    assert names == sorted(names, key=lambda name: (not name.isupper(), name))
    assert len(set(names)) == len(names)
    for name in names:
        assert getattr(module, name) is not None


@pytest.mark.parametrize("module", [errors, market, models, orders, pacing])
def test_every_public_name_comes_with_the_package(module: ModuleType) -> None:
    assert set(module.__all__) <= set(package.__all__)


@pytest.mark.parametrize(("face", "twin"), FACES)
def test_both_faces_have_the_same_methods_and_parameters(face: type, twin: type) -> None:
    blocking, awaited = methods(face), methods(twin)
    assert set(blocking) - {"close"} == set(awaited) - {"aclose"}
    for name in set(blocking) - {"close", "from_env"}:
        assert inspect.signature(blocking[name]).parameters == inspect.signature(awaited[name]).parameters, name
        assert not inspect.iscoroutinefunction(blocking[name])
        if name != "my_trades":
            assert inspect.iscoroutinefunction(awaited[name]), name


def test_every_method_has_its_case_among_the_calls() -> None:
    private, public = {case.method for case in PRIVATE}, {case.method for case in PUBLIC}
    assert set(methods(PublicClient)) - {"close"} - BY_HAND == public
    assert set(methods(Client)) - {"close"} - BY_HAND == public | private


@pytest.mark.parametrize(("face", "twin"), FACES)
def test_a_method_says_what_it_is(face: type, twin: type) -> None:
    for name, method in methods(face).items():
        assert method.__name__ == name
        assert (method.__doc__ or "").strip()
        assert name == "close" or (methods(twin)[name].__doc__ or "").strip()


def test_a_method_shows_its_own_parameters_and_what_it_returns() -> None:
    shown = str(inspect.signature(Client("k", "s").place_limit))
    assert shown.startswith("(symbol: str, side: Literal['buy', 'sell'], amount:")
    assert shown.endswith("out_trade_no: str | None = None) -> int")
    assert inspect.signature(Client.order).return_annotation is package.OrderState


@pytest.mark.parametrize("name", [*orders.__all__, *market.__all__])
def test_results_cannot_be_changed(name: str) -> None:
    kind = getattr(package, name)
    if hasattr(kind, "__dataclass_fields__"):
        assert kind.__dataclass_params__.frozen
    else:
        assert name in {"Level", "Side", "Status"}  # a named tuple, two sets of words
