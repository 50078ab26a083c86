"""Items -> codes."""
