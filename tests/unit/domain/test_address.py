"""Where a request comes from."""

from collections.abc import Sequence

import pytest

from spotbook.domain.address import UNKNOWN, Networks, allowed, client_address, limit_subject

NONE = Networks([])
PROXIES = Networks(["10.0.0.0/8", "2001:db8:ffff::/48", "192.0.2.7"])


@pytest.mark.parametrize(
    ("peer", "canonical"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "::1"),
        ("2001:0DB8:0:0::1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("fe80::1%2", "fe80::1"),
    ],
)
def test_the_peer_in_canonical_text(peer: str, canonical: str) -> None:
    assert client_address(peer, [], NONE) == canonical


@pytest.mark.parametrize("peer", [None, "", "testclient", "unix:", "1.2.3", "01.2.3.4", "x" * 10_000])
def test_a_peer_without_address_is_unknown_and_never_trusted(peer: str | None) -> None:
    everybody = Networks(["0.0.0.0/0", "::/0"])
    assert client_address(peer, [b"192.0.2.1"], everybody) == UNKNOWN
    assert limit_subject(UNKNOWN) == UNKNOWN
    assert not allowed(UNKNOWN, everybody)


@pytest.mark.parametrize("trusted", [NONE, PROXIES])
def test_an_untrusted_peer_is_not_believed(trusted: Networks) -> None:
    assert client_address("198.51.100.1", [b"10.0.0.1"], trusted) == "198.51.100.1"


@pytest.mark.parametrize(
    ("forwarded_for", "client"),
    [
        ([], "10.0.0.1"),
        ([b""], "10.0.0.1"),
        ([b" , ,"], "10.0.0.1"),
        ([b"198.51.100.1"], "198.51.100.1"),
        (["198.51.100.1"], "198.51.100.1"),
        ([b"6.6.6.6, 198.51.100.1"], "198.51.100.1"),
        ([b"6.6.6.6", b"198.51.100.1, 10.9.9.9"], "198.51.100.1"),
        ([b"6.6.6.6", b"198.51.100.1", b"192.0.2.7"], "198.51.100.1"),
        ([b"garbage, 198.51.100.1,,10.9.9.9,"], "198.51.100.1"),
        ([b"10.2.2.2, 10.3.3.3"], "10.2.2.2"),
        ([b"2001:DB8:0::5"], "2001:db8::5"),
        ([b"2001:db8:1::5, 2001:db8:ffff::9"], "2001:db8:1::5"),
        ([b"::ffff:198.51.100.1, ::ffff:10.0.0.9"], "198.51.100.1"),
        ([b"198.51.100.1:443"], "198.51.100.1"),
        ([b"[2001:db8::5]:443, [2001:db8:ffff::9]"], "2001:db8::5"),
    ],
)
def test_the_rightmost_untrusted_element_behind_a_trusted_peer(forwarded_for: Sequence[bytes], client: str) -> None:
    assert client_address("10.0.0.1", forwarded_for, PROXIES) == client


@pytest.mark.parametrize(
    "element",
    [
        *(b"unknown", b"_hidden", b"198.51.100.1:", b"198.51.100.1:x", b"198.51.100.1 10.0.0.1", b"1.2.3.4%a"),
        *(b"[::1", b"[]", b"::1]:80", b"[::1]x", b"\xff", "١٩٢.٠.٢.١".encode(), b"1" * 99),
    ],
)
def test_garbage_from_a_trusted_proxy_ends_the_search(element: bytes) -> None:
    assert client_address("10.0.0.1", [b"198.51.100.1", element, b"10.2.2.2"], PROXIES) == UNKNOWN


def test_more_proxies_than_the_bound_are_not_followed() -> None:
    assert client_address("10.0.0.1", [b"198.51.100.1" + b",10.0.0.2" * 15], PROXIES) == "198.51.100.1"
    assert client_address("10.0.0.1", [b"198.51.100.1,10.0.0.2" + b",10.0.0.2" * 16], PROXIES) == UNKNOWN


def test_nor_is_what_stands_left_of_the_bound_looked_at() -> None:
    assert client_address("10.0.0.1", [b"garbage," * 99 + b"198.51.100.1"], PROXIES) == "198.51.100.1"


def test_an_address_is_at_most_64_characters_long() -> None:
    longest, longer = "fe80::1%" + "x" * 56, "fe80::1%" + "x" * 57
    assert client_address(longest, [], NONE) == "fe80::1"
    assert client_address(longer, [], NONE) == UNKNOWN
    assert client_address("10.0.0.1", [longest], PROXIES) == "fe80::1"
    assert client_address("10.0.0.1", [longer], PROXIES) == UNKNOWN


@pytest.mark.parametrize(
    ("address", "subject"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
        (UNKNOWN, UNKNOWN),
        ("x" * 10_000, UNKNOWN),
    ],
)
def test_limits_count_ipv6_by_64_bits(address: str, subject: str) -> None:
    assert limit_subject(address) == subject


def test_an_allow_list_lets_in_what_it_holds() -> None:
    networks = Networks(["10.0.0.0/8", "2001:db8::/32", "192.0.2.7", "::ffff:172.16.0.0/108"])
    assert networks.texts == ("10.0.0.0/8", "2001:db8::/32", "192.0.2.7/32", "172.16.0.0/12")
    inside = ["10.1.2.3", "::ffff:10.1.2.3", "2001:db8::1", "192.0.2.7", "172.31.0.1"]
    outside = ["11.0.0.1", "2001:db9::1", "192.0.2.8", "172.32.0.1", "::a00:1", "text", ""]
    assert [allowed(address, networks) for address in inside + outside] == [True] * 5 + [False] * 7


def test_no_list_lets_in_everybody_and_an_empty_one_nobody() -> None:
    assert allowed("192.0.2.1", None)
    assert allowed(UNKNOWN, None)
    assert not allowed("192.0.2.1", NONE)


@pytest.mark.parametrize("text", ["10.1.2.3/8", "10.0.0.0/33", "", "localhost", "10.0.0.0/8 ", "2001:db8::1/32"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"host bits set|does not appear"):
        Networks([text])


def test_all_ipv4_addresses_written_as_ipv6_are_a_range_of_ipv4() -> None:
    assert Networks(["::ffff:0.0.0.0/96"]).texts == ("0.0.0.0/0",)


def test_ranges_wider_than_the_mapped_block_stay_ipv6() -> None:
    assert Networks(["::/0", "::/96", "::/128"]).texts == ("::/0", "::/96", "::/128")


@pytest.mark.parametrize("text", ["fe80::1%a", "fe80::1%a,10.0.0.0", "fe80::1%\nx"])
def test_a_range_with_a_zone_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="fe80"):
        Networks([text])
