"""Where a request comes from: the socket's peer, or what a trusted proxy says, and nothing else.

    client ──▶ proxy A ──▶ proxy B ──▶ Spotbook        X-Forwarded-For: <what the client wrote>, client, A
                                        peer = B       read from the right, while each is trusted: A, client

Each proxy appends the address that it was called from, so only what stands right of the first untrusted element was
written by somebody we trust. Pure: no socket, no look-up of names.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple

UNKNOWN = "unknown"
"""The address of a client that cannot be told: a Unix socket, a peer without address, garbage from a proxy. All such
clients share one set of limits, and no allow-list and no list of trusted proxies ever holds them."""

_CACHED = 65_536  # as many addresses as can call within one window of the limiter; some 20 MB at most
_CHARACTERS_MAX = 64  # the longest IPv6 text with brackets, zone and port; longer garbage shall not fill the caches
_WRAPPED = re.compile(r"\[([^\[\]]*)\](?::\d{1,5})?|([\d.]+):\d{1,5}", re.ASCII)
_HOPS_MAX = 16  # proxies in a row; what stands left of that many is not looked at


class _Address(NamedTuple):
    text: str
    version: int
    number: int
    subject: str


class Networks:
    """A list of address ranges in CIDR form. ``Networks(["10.0.0.0/8", "2001:db8::/32", "192.0.2.7"])``

    Raise ValueError, naming the text, for one that is no range or has bits set beyond its length: 10.1.2.3/8 may be
    meant as 10.0.0.0/8 or as one address, and a list that lets people in must not be guessed at. A range of IPv4
    addresses written as IPv6 (::ffff:10.0.0.0/104) is taken as the IPv4 range.
    """

    __slots__ = ("_ipv4", "_ipv6", "texts")

    def __init__(self, texts: Iterable[str]) -> None:
        networks = [_network(text) for text in texts]
        self.texts = tuple(str(network) for network in networks)
        self._ipv4 = [_bits(network) for network in networks if network.version == 4]
        self._ipv6 = [_bits(network) for network in networks if network.version == 6]

    def holds(self, address: str) -> bool:
        """Whether `address` lies in one of the ranges. Text that is no address lies in none."""
        parsed = _parsed(address)
        return parsed is not None and self._hold(parsed)

    def _hold(self, parsed: _Address) -> bool:
        number = parsed.number
        for base, mask in self._ipv4 if parsed.version == 4 else self._ipv6:  # noqa: SIM110 - any() costs three times this
            if number & mask == base:
                return True
        return False


def client_address(peer: str | None, forwarded_for: Sequence[bytes | str], trusted: Networks) -> str:
    """Return the client's address in canonical text, or UNKNOWN.

    `peer` is the socket's other end, None or any word when it has no address; `forwarded_for` holds the values of all
    X-Forwarded-For headers in the order in which they came, looked at only if `peer` is trusted. The answer is the
    right-most element that is not itself trusted, the left-most one if all are, `peer` if there is none. An element may
    carry a port. One that is no address ends the search with UNKNOWN: a trusted proxy wrote it, or let it pass, and
    so does not know who calls; to take a neighbour's address instead might let a stranger through an allow-list.
    """
    hop = _parsed(peer or "")
    if hop is None:
        return UNKNOWN
    if not forwarded_for or not trusted.holds(hop.text):
        return hop.text
    text = ",".join(value.decode("latin-1") if isinstance(value, bytes) else value for value in forwarded_for)
    # With more elements than _HOPS_MAX the first piece is a list still, which is no address.
    for element in reversed(text.rsplit(",", _HOPS_MAX)):
        if element and not element.isspace():  # an empty element of a list means nothing, by the rules of HTTP
            hop = _element(element) if len(element) <= _CHARACTERS_MAX else None
            if hop is None:
                return UNKNOWN
            if not trusted.holds(hop.text):
                break
    return hop.text


def limit_subject(address: str) -> str:
    """Return whom the limits of `address` are kept for: an IPv4 address itself, an IPv6 address's /64.

    One caller is commonly given a whole /64, so single IPv6 addresses would be as good as no limit. IPv4 addresses
    written as IPv6 count as IPv4. What is no address is UNKNOWN, as one subject.
    """
    parsed = _parsed(address)
    return UNKNOWN if parsed is None else parsed.subject


def allowed(address: str, networks: Networks | None) -> bool:
    """Whether an allow-list lets `address` in. None is no list: everybody is let in. An empty list lets in nobody."""
    return networks is None or networks.holds(address)


def _network(text: str) -> IPv4Network | IPv6Network:
    if "%" in text:  # a zone is the name of an interface of ours, and may hold anything, a comma too
        raise ValueError(text)
    network = ip_network(text)
    if isinstance(network, IPv6Network) and network.prefixlen >= 96 and network.network_address.ipv4_mapped:
        return IPv4Network((int(network.network_address.ipv4_mapped), network.prefixlen - 96))
    return network


def _bits(network: IPv4Network | IPv6Network) -> tuple[int, int]:
    return int(network.network_address), int(network.netmask)


@lru_cache(_CACHED)
def _element(text: str) -> _Address | None:
    """Parse an element of X-Forwarded-For: an address, perhaps in brackets, perhaps with a port."""
    text = text.strip()
    wrapped = _WRAPPED.fullmatch(text)
    return _parse(wrapped[1] or wrapped[2] if wrapped else text)


def _parsed(text: str) -> _Address | None:
    return _parse(text) if len(text) <= _CHARACTERS_MAX else None


@lru_cache(_CACHED)
def _parse(text: str) -> _Address | None:
    """Parse an address: IPv4 out of IPv6 unwrapped, a zone (the name of an interface of ours) left out."""
    try:
        parsed = ip_address(text)
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address):
        parsed = parsed.ipv4_mapped or IPv6Address(int(parsed))
    number, canonical = int(parsed), str(parsed)
    subject = canonical if parsed.version == 4 else str(IPv6Network((number >> 64 << 64, 64)))
    return _Address(canonical, parsed.version, number, subject)
