"""The use cases: one writer that decides and commits, many readers, and the ports that both stand on."""
