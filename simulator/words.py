"""Steps in words."""

from collections.abc import Mapping
from typing import Any

from simulator.step import Step


def of_step(step: Step) -> str:
    """Return what happens, as a person would say it."""
    args = step.args
    match step.kind:
        case "call":
            return _call(args) + (", together with the one before" if step.joins else "")
        case "deed" | "alone":
            return _deed(args["kind"], args["args"], args["actor"])
        case "jump":
            return f"the clock jumps by {args['ms']} ms"
        case "fault":
            part = f" ({args['part'] / 10_000:.2f} % of the bytes)" if args["kind"].startswith("power cut") else ""
            return f"at the next commit: {args['kind']}{part}"
        case "room":
            return "there is room on the disk again"
        case "probe":
            return "the writer looks whether there is room"
        case "check":
            return "everything is compared"
        case "kill":
            return "the process is killed, and starts again"
    return "the process ends, and starts again"


def _call(args: Mapping[str, Any]) -> str:
    params = {name: value for name, value in args["params"].items() if value or args["order"] is None}
    said = ", ".join(f"{name} {value!r}" for name, value in params.items())
    if args["order"] is not None:
        said = f"the order of step {args['order'] + 1}" + (f", {said}" if said else "")
    who = f"key {args['api_key']}" if args["api_key"] else "somebody"
    ways = [word for word in (args["signing"] if args["signing"] == "v1" else "", args["flaw"]) if word]
    lost = "; the reply is lost" if args["lost"] else ""
    return f"{who} at {args['address']} calls {args['command']}({said})" + "".join(f", {way}" for way in ways) + lost


def _deed(kind: str, args: Mapping[str, Any], actor: tuple[str, str] | None) -> str:
    by = f" (by {actor[0]} as {actor[1]})" if actor else ""
    if kind == "deposit":
        return f"account {args['account']} is given {args['amount']} {args['asset']} as {args['txid']}{by}"
    if kind == "freeze":
        return f"account {args['account']} is {'frozen' if args['frozen'] else 'thawed'}{by}"
    said = ", ".join(f"{name} {value!r}" for name, value in args.items())
    return f"{kind.replace('_', ' ')}: {said}{by}" if said else f"{kind.replace('_', ' ')}{by}"
