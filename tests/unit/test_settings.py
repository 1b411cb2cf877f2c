"""Settings: three sources, one value; what is unknown, senseless or unsafe is refused by name."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from spotbook.domain.ladder import LadderRules
from spotbook.domain.pacing import LimitRules
from spotbook.domain.window import Limit
from spotbook.settings import (
    NOT_SETTINGS,
    UNLIMITED,
    Audit,
    Connections,
    Listener,
    Proxy,
    Settings,
    SettingsRefused,
    Tls,
    check,
    check_serve,
    exposed,
    key_needs_allow_list,
    load,
    loopback,
    unlimited,
)

DATA = Path("/books")
TLS = Tls(Path("/chain.pem"), Path("/key.pem"))
PROXY = Proxy(behind=True, trusted=("10.0.0.0/8",))
EVERYWHERE = Listener("0.0.0.0", 8080)


def write(folder: Path, text: str) -> Path:
    file = folder / "spotbook.toml"
    file.write_text(text, encoding="utf-8")
    return file


def refusal(folder: Path, text: str = 'data = "d"', environment: dict[str, str] | None = None, **flags: Any) -> str:
    with pytest.raises(SettingsRefused) as caught:
        load(write(folder, text), environment or {}, flags)
    return str(caught.value)


# --- sources ----------------------------------------------------------------------------------------


def test_the_defaults_serve_on_loopback_with_the_exchanges_limits() -> None:
    settings = load(None, {}, {"data": DATA})
    assert settings == Settings(DATA)
    assert settings.public == Listener("127.0.0.1", 8080)
    assert settings.admin == Listener("127.0.0.1", 8081)
    assert settings.limits == LimitRules()
    check_serve(settings)


def test_every_setting_can_stand_in_the_file(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        """
        data = "books"
        admin_hosts = ["admin.example"]
        unsafe_keys = true
        list_empty_assets = true
        log_level = "debug"
        public = { host = "::1", port = 1 }
        admin = { port = 2 }
        proxy = { behind = true, trusted = ["10.0.0.0/8", "2001:db8::/32"] }
        [tls]
        certificate = "chain.pem"
        private_key = "/etc/key.pem"
        [audit]
        enabled = false
        share = 1
        rows_max = 5
        [limits]
        address_per_s = 200
        [limits.ladder]
        enabled = false
        bans_max = 3
        [command_limits.returnBalances]
        calls = 3
        window_ms = 1000
        """,
    )
    assert load(file, {}, {}) == Settings(
        data=tmp_path / "books",
        public=Listener("::1", 1),
        admin=Listener("127.0.0.1", 2),
        admin_hosts=("admin.example",),
        proxy=Proxy(behind=True, trusted=("10.0.0.0/8", "2001:db8::/32")),
        tls=Tls(tmp_path / "chain.pem", Path("/etc/key.pem")),
        unsafe_keys=True,
        list_empty_assets=True,
        audit=Audit(enabled=False, share=1.0, rows_max=5),
        limits=LimitRules(address_per_s=200, ladder=LadderRules(enabled=False, bans_max=3)),
        command_limits={"returnBalances": Limit(3, 1000)},
        log_level="debug",
    )


def test_the_audits_share_can_stand_in_the_environment() -> None:
    settings = load(None, {"SPOTBOOK_AUDIT_SHARE": "0.25", "SPOTBOOK_AUDIT_ENABLED": "false"}, {"data": DATA})
    assert settings.audit == Audit(enabled=False, share=0.25)


@pytest.mark.parametrize("text", ["share = 0", "share = 1.5", "share = nan", "rows_max = 0"])
def test_an_audit_that_could_do_nothing_is_refused(tmp_path: Path, text: str) -> None:
    assert f"audit.{text.partition(' ')[0]} is " in refusal(tmp_path, f'data = "d"\n[audit]\n{text}')


def test_the_environment_goes_over_the_file_and_flags_go_over_both(tmp_path: Path) -> None:
    file = write(tmp_path, 'data = "d"\npublic = {host = "::1", port = 1}\nadmin.port = 1\nlog_level = "debug"')
    environment = {"SPOTBOOK_PUBLIC_PORT": "2", "SPOTBOOK_ADMIN_PORT": "2"}
    settings = load(file, environment, {"admin.port": 3, "log_level": None})
    assert settings.public == Listener("::1", 2)
    assert settings.admin.port == 3
    assert settings.log_level == "debug"


def test_text_in_the_environment_becomes_what_it_means() -> None:
    environment = {
        "SPOTBOOK_DATA": "relative",
        "SPOTBOOK_PROXY_BEHIND": "true",
        "SPOTBOOK_PROXY_TRUSTED": "10.0.0.0/8, ::1/128",
        "SPOTBOOK_LIMITS_LADDER_ENABLED": "0",
        "SPOTBOOK_LIMITS_USER_PER_S": " 7 ",
        "SPOTBOOK_TLS_CERTIFICATE": "",
        "HOME": "/root",
        "SPOTBOOKISH": "not ours",
    }
    settings = load(None, environment, {})
    assert settings.data == Path("relative")
    assert settings.proxy == Proxy(behind=True, trusted=("10.0.0.0/8", "::1/128"))
    assert settings.limits == LimitRules(user_per_s=7, ladder=LadderRules(enabled=False))
    assert settings.tls == Tls()


def test_secrets_and_addresses_in_the_environment_are_no_settings() -> None:
    assert load(None, dict.fromkeys(NOT_SETTINGS, "x"), {"data": DATA}) == Settings(DATA)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('data = "d"\ndatta = "x"', "no setting datta"),
        ('data = "d"\npublic.prot = 1', "no setting public.prot"),
        ('data = "d"\n[limits.ladder]\nbann_max = 1', "no setting limits.ladder.bann_max"),
        ('data = "d"\npublic = 8080', "no setting public"),
        ('data = "d"\npublic.port = "8080"', "public.port: Expected `int`"),
        ('data = "d"\nlimits.ladder.enabled = 1', "limits.ladder.enabled: Expected `bool`"),
        ("data = 7", "data"),
        ('data = "d"\ncommand_limits.x = 7', "command_limits.x: write a table"),
        ('data = "d"\ncommand_limits = 7', "command_limits: write a table"),
        ('data = "d"\ncommand_limits.x = {calls = 7}', "command_limits.x: write calls and window_ms"),
        ('data = "d"\ncommand_limits.x = {calls = 7, window_ms = 1, per = 2}', "write calls and window_ms"),
        ('data = "d"\ncommand_limits.x = {calls = "7", window_ms = 1}', "command_limits.x.calls: Expected `int`"),
        ('data = "d', "spotbook.toml"),
        ('log_level = "info"', "data is not set"),
    ],
)
def test_what_the_file_gets_wrong_is_named(tmp_path: Path, text: str, named: str) -> None:
    assert named in refusal(tmp_path, text)


def test_a_file_that_is_not_text_is_refused_and_one_that_is_missing_is_not_found(tmp_path: Path) -> None:
    file = tmp_path / "spotbook.toml"
    file.write_bytes(b"\xff")
    with pytest.raises(SettingsRefused, match=r"spotbook\.toml"):
        load(file, {}, {})
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.toml", {}, {})


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"SPOTBOOK_PUBLIC_PROT": "1"}, "no setting SPOTBOOK_PUBLIC_PROT"),
        ({"SPOTBOOK_COMMAND_LIMITS": "{}"}, "no setting SPOTBOOK_COMMAND_LIMITS"),
        ({"SPOTBOOK_PUBLIC_PORT": "http"}, "SPOTBOOK_PUBLIC_PORT: Expected `int`"),
        ({"SPOTBOOK_PROXY_BEHIND": "perhaps"}, "SPOTBOOK_PROXY_BEHIND: Expected `bool`"),
    ],
)
def test_what_the_environment_gets_wrong_is_named(tmp_path: Path, environment: dict[str, str], named: str) -> None:
    assert named in refusal(tmp_path, environment=environment)


def test_what_flags_get_wrong_is_named(tmp_path: Path) -> None:
    assert "no setting prot" in refusal(tmp_path, prot=1)
    assert "log_level: Expected `str`" in refusal(tmp_path, log_level=1)


def test_a_refusal_never_quotes_a_value(tmp_path: Path) -> None:
    assert "5ecret" not in refusal(tmp_path, environment={"SPOTBOOK_PUBLIC_PORT": "5ecret"})


# --- values -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"public": Listener("", 1)}, "public.host is empty"),
        ({"admin": Listener("::1", 65_536)}, "admin.port"),
        ({"public": Listener("::1", -1)}, "public.port"),
        ({"public": Listener("::1", 9), "admin": Listener("::1", 9)}, "share"),
        ({"admin_hosts": ()}, "admin_hosts"),
        ({"tls": Tls(certificate=Path("c"))}, "go together"),
        ({"tls": Tls(private_key=Path("k"))}, "go together"),
        ({"proxy": Proxy(behind=True)}, "proxy.trusted"),
        ({"proxy": Proxy(trusted=("10.0.0.1/8",))}, "host bits"),
        ({"proxy": Proxy(trusted=("everybody",))}, "everybody"),
        ({"proxy": Proxy(trusted=("0.0.0.0/0",))}, "trusts everybody"),
        ({"proxy": Proxy(trusted=("::/0",))}, "trusts everybody"),
        ({"log_level": "loud"}, "log_level"),
        ({"connections": Connections(0)}, "connections.per_address"),
        ({"limits": LimitRules(address_per_s=0)}, "limits.address_per_s"),
        ({"limits": LimitRules(user_per_s=-1)}, "limits.user_per_s"),
        ({"limits": LimitRules(subjects_max=0)}, "limits.subjects_max"),
        ({"limits": LimitRules(clock_grain_ms=-1)}, "limits.clock_grain_ms"),
        ({"limits": LimitRules(ladder=LadderRules(banned_ms=0))}, "limits.ladder.banned_ms"),
        ({"command_limits": {"x": Limit(0, 1)}}, "command_limits.x"),
        ({"command_limits": {"x": Limit(1, -1)}}, "command_limits.x"),
    ],
)
def test_values_that_no_server_could_work_with_are_refused(changes: dict[str, Any], named: str) -> None:
    settings = msgspec.structs.replace(Settings(DATA), **changes)
    for refuse in (check, check_serve):
        with pytest.raises(SettingsRefused, match=named):
            refuse(settings)


def test_without_a_ladder_there_is_nothing_of_it_to_check() -> None:
    check(Settings(DATA, limits=LimitRules(ladder=None)))
    check(Settings(DATA, public=Listener(port=0), admin=Listener(port=0)))


# --- safety -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("listener", ["public", "admin"])
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "books.example"])
def test_beyond_loopback_a_listener_needs_tls_or_a_proxy(listener: str, host: str) -> None:
    settings = msgspec.structs.replace(Settings(DATA), **{listener: Listener(host, 9)})
    with pytest.raises(SettingsRefused, match=f"{listener}.host"):
        check_serve(settings)
    check_serve(msgspec.structs.replace(settings, tls=TLS))
    check_serve(msgspec.structs.replace(settings, proxy=PROXY))


def test_trusted_proxies_alone_are_not_the_word_that_there_is_one() -> None:
    with pytest.raises(SettingsRefused, match="beyond loopback"):
        check_serve(Settings(DATA, public=EVERYWHERE, proxy=Proxy(trusted=("10.0.0.0/8",))))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost", "::ffff:127.0.0.1"])
def test_what_only_this_machine_reaches(host: str) -> None:
    assert loopback(host)
    assert not exposed(Settings(DATA, public=Listener(host, 1)))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "localhost.example", "::ffff:192.0.2.1"])
def test_what_others_reach(host: str) -> None:
    assert not loopback(host)


def test_beyond_loopback_a_key_that_moves_money_needs_an_allow_list() -> None:
    assert not key_needs_allow_list(Settings(DATA))
    assert key_needs_allow_list(Settings(DATA, public=EVERYWHERE, tls=TLS))
    assert key_needs_allow_list(Settings(DATA, proxy=PROXY))
    assert not key_needs_allow_list(Settings(DATA, proxy=PROXY, unsafe_keys=True))


def test_unlimited_lifts_every_limit_and_no_more() -> None:
    own = {"returnBalances": Limit(3, 1000), "timestamp": Limit(80, 1000)}
    before = Settings(DATA, command_limits={"returnBalances": Limit(1, 7)}, limits=LimitRules(clock_grain_ms=0))
    after = unlimited(before, own)
    assert after.limits == LimitRules(
        UNLIMITED,
        UNLIMITED,
        LadderRules(enabled=False),
        clock_grain_ms=0,
        forgeries_per_key=UNLIMITED,
        forgeries_per_address=UNLIMITED,
    )
    assert after.command_limits == {"returnBalances": Limit(UNLIMITED, 7), "timestamp": Limit(UNLIMITED, 1000)}
    assert msgspec.structs.replace(after, limits=before.limits, command_limits=before.command_limits) == before
    assert unlimited(Settings(DATA, limits=LimitRules(ladder=None)), {}).limits.ladder == LadderRules(enabled=False)
    check(after)
