"""Where settings come from: the leaves of a TOML file, of the environment, of flags; and how they become one value.

A tree of structs and named tuples has leaves, each named by its path: ``limits.ladder.enabled`` in a file is the key
`enabled` of the table ``[limits.ladder]``, and SPOTBOOK_LIMITS_LADDER_ENABLED in the environment. A leaf of type
``dict[str, <named tuple>]`` is a table of tables, and can be given in a file only.
"""

import tomllib
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec

T = TypeVar("T")
Place = tuple[str, ...]


class SourceRefused(Exception):
    """A source has a key that does not exist, or a value that is none. Says which, and never the value."""


def from_file(root: type, file: Path) -> dict[Place, Any]:
    """Return the leaves that a TOML file gives. Relative paths begin at its folder. Raises OSError, SourceRefused."""
    try:
        tree = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SourceRefused(f"{file}: {error}") from None
    known = dict(_places(root))
    leaves = {}
    for place, given in _given(tree, known):
        if place not in known:
            raise SourceRefused(f"{file}: there is no setting {'.'.join(place)}")
        value = _converted(given, known[place], f"{file}: {'.'.join(place)}")
        leaves[place] = file.parent / value if isinstance(value, Path) else value
    return leaves


def from_environment(
    root: type, environment: Mapping[str, str], prefix: str, others: frozenset[str]
) -> dict[Place, Any]:
    """Return the leaves that variables beginning with `prefix` give; an empty one gives nothing.

    `others` begin so too and are no settings. Lists are separated by commas.
    """
    known = {"_".join((prefix, *place)).upper(): (place, kind) for place, kind in _places(root)}
    leaves = {}
    for name in sorted(environment):
        text = environment[name].strip()
        if not name.startswith(f"{prefix}_") or name in others or not text:
            continue
        if name not in known or get_origin(known[name][1]) is dict:
            raise SourceRefused(f"the environment: there is no setting {name}")
        place, kind = known[name]
        given = [part.strip() for part in text.split(",")] if get_origin(kind) is tuple else text
        leaves[place] = _converted(given, kind, f"the environment: {name}", strict=False)
    return leaves


def from_flags(root: type, flags: Mapping[str, Any]) -> dict[Place, Any]:
    """Return the leaves that flags give, named by their path (``public.host``); None is no flag."""
    known = dict(_places(root))
    leaves = {}
    for name, given in flags.items():
        place = tuple(name.split("."))
        if place not in known:
            raise SourceRefused(f"flags: there is no setting {name}")
        if given is not None:
            leaves[place] = _converted(given, known[place], f"flags: {name}")
    return leaves


def overlaid(tree: T, leaves: Mapping[Place, Any], place: Place = ()) -> T:
    """Return the tree with these leaves in place of its own."""
    changes = {}
    for name, _ in _fields(type(tree)):
        here, value = (*place, name), getattr(tree, name)
        if here in leaves:
            changes[name] = leaves[here]
        elif _is_tree(type(value)):
            changes[name] = overlaid(value, leaves, here)
    if isinstance(tree, msgspec.Struct):
        return msgspec.structs.replace(tree, **changes)
    replace: Any = tree
    changed: T = replace._replace(**changes)
    return changed


def _places(kind: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Return every leaf's path and type."""
    for name, hint in _fields(kind):
        if _is_tree(hint):
            yield from _places(hint, (*place, name))
        else:
            yield (*place, name), hint


def _fields(kind: Any) -> Iterator[tuple[str, Any]]:
    """Return the fields' names and types, without their ``| None``."""
    for name, hint in get_type_hints(kind).items():
        options = [option for option in get_args(hint) if option is not types.NoneType]
        yield name, options[0] if isinstance(hint, types.UnionType) and len(options) == 1 else hint


def _is_tree(kind: Any) -> bool:
    return isinstance(kind, type) and (issubclass(kind, msgspec.Struct) or hasattr(kind, "_fields"))


def _given(tree: Mapping[str, Any], known: Mapping[Place, Any], place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Return what a file gives, with its path; tables that are on the way to a leaf are gone into."""
    for name, value in tree.items():
        here = (*place, name)
        if isinstance(value, dict) and any(len(other) > len(here) and other[: len(here)] == here for other in known):
            yield from _given(value, known, here)
        else:
            yield here, value


def _converted(given: Any, kind: Any, name: str, *, strict: bool = True) -> Any:
    if get_origin(kind) is dict:
        return _table(given, get_args(kind)[1], name)
    try:
        return msgspec.convert(given, kind, strict=strict, dec_hook=_path)
    except msgspec.ValidationError as error:
        raise SourceRefused(f"{name}: {error}") from None


def _path(kind: type, given: Any) -> Any:
    if not isinstance(given, str | Path):
        raise ValueError("Expected a path")  # noqa: TRY004  (what msgspec turns into its own error)
    return kind(given)


def _table(given: Any, kind: Any, name: str) -> dict[str, Any]:
    """Return a table of tables as named tuples, which msgspec would take from arrays only."""
    hints = get_type_hints(kind)
    table = {}
    for key, row in _mapping(given, name).items():
        fields = _mapping(row, f"{name}.{key}")
        if fields.keys() != hints.keys():
            raise SourceRefused(f"{name}.{key}: write {' and '.join(hints)}, and nothing else")
        table[key] = kind(*(_converted(fields[field], hint, f"{name}.{key}.{field}") for field, hint in hints.items()))
    return table


def _mapping(given: Any, name: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise SourceRefused(f"{name}: write a table")
    return given
