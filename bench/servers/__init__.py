"""Processes that the benchmarks put load on; each prints one line of JSON, ``{"url": …}``, once it is bound."""
