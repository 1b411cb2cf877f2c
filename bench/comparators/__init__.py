"""What Spotbook is measured against: other servers of the same call."""
