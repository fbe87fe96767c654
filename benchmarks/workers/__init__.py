"""The processes that are measured, one module a library, and what they share."""
