"""Spotbook: a spot account you can run yourself."""

__version__ = "0.1.0"
