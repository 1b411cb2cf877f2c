"""Counters of a running server, kept as plain numbers on the hot path and shown to Prometheus when it asks."""

from bisect import bisect_left
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
"""Upper bounds of the latency histogram's buckets."""

Gauge = Callable[[], float]


class Metrics(Collector):
    """Requests by command and code, their latency, alarms, and gauges that are read when they are shown."""

    def __init__(self) -> None:
        self.replies: dict[tuple[str, str], int] = {}
        self.alarms = 0
        self._buckets = [0] * (len(SECONDS) + 1)
        self._seconds = 0.0
        self._gauges: dict[str, tuple[str, Gauge]] = {}
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def reply(self, command: str, code: str, seconds: float) -> None:
        """Count one reply of the wire API. `command` is a known command's name or ``unknown``."""
        key = (command, code)
        self.replies[key] = self.replies.get(key, 0) + 1
        self._buckets[bisect_left(SECONDS, seconds)] += 1
        self._seconds += seconds

    def gauge(self, name: str, words: str, read: Gauge) -> None:
        """Show `read()` under this name whenever metrics are asked for."""
        self._gauges[name] = (words, read)

    def collect(self) -> Iterator[Metric]:
        """Yield what Prometheus is shown."""
        replies = CounterMetricFamily("spotbook_replies", "Replies of the wire API.", labels=("command", "code"))
        for (command, code), count in sorted(self.replies.items()):
            replies.add_metric((command, code), count)
        yield replies
        total, buckets = 0, []
        for bound, count in zip([*map(str, SECONDS), "+Inf"], self._buckets, strict=True):
            total += count
            buckets.append((bound, total))
        seconds = HistogramMetricFamily("spotbook_reply_seconds", "Time from a whole request to its reply.")
        seconds.add_metric((), buckets, self._seconds)
        yield seconds
        yield CounterMetricFamily("spotbook_alarms", "Faults that an operator must see.", value=self.alarms)
        for name, (words, read) in sorted(self._gauges.items()):
            yield GaugeMetricFamily(name, words, value=read())

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self._registry)
