"""The rate limits in force."""

from spotbook.domain.ladder import LadderRules
from spotbook.domain.window import Limit
from spotbook.server.admin.endpoint import Call, Endpoint, Out, Reply
from spotbook.server.admin.office import Office
from spotbook.wire.coinw import registry


class LimitShown(Out, frozen=True):
    """At most `calls` in any `window_ms` milliseconds."""

    calls: int
    window_ms: int


class LadderShown(Out, frozen=True):
    """What repeated limit errors lead to; see the wire contract's ladder."""

    enabled: bool
    error_window_ms: int
    user_errors_max: int
    address_errors_max: int
    warned_ms: int
    banned_ms: int
    bans_max: int
    bans_window_ms: int
    blacklisted_ms: int


class LimitsShown(Out, frozen=True):
    """All limits. `commands` are counted per user, `public` per address."""

    address_per_s: int
    user_per_s: int
    commands: dict[str, LimitShown]
    public: dict[str, LimitShown]
    ladder: LadderShown


async def _limits(office: Office, call: Call) -> Reply:  # noqa: ARG001
    settings = office.parts.settings
    rules, own = settings.limits, settings.command_limits

    def shown(name: str, limit: Limit) -> LimitShown:
        return LimitShown(*own.get(name, limit))

    ladder = rules.ladder or LadderRules(enabled=False)
    commands = {name: shown(name, command.limit) for name, command in registry.PRIVATE.items()}
    public = {name: shown(name, command.limit) for name, command in registry.PUBLIC.items()}
    return Reply(200, LimitsShown(rules.address_per_s, rules.user_per_s, commands, public, LadderShown(*ladder)))


LIMITS = Endpoint("GET", "/limits", "view", "The rate limits in force", _limits, {200: LimitsShown})
