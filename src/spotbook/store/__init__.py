"""The books on a disk, or in memory: one port, several stores, one contract test."""
