"""What tests share: builders, a clock, stores that fail as told."""
