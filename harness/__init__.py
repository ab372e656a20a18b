"""The harness: a black box that knows URLs and JSON, and starts the other parts as processes."""
