"""Exchanges' dialects: bytes to commands and back. One folder a dialect."""
