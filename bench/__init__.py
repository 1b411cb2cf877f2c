"""Benchmarks of Spotbook: how fast, measured how, beside what. See docs/reference/speed.md; run by ``make bench``."""
