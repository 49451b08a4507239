"""Published files and our own folders <-> models. Nothing in a file can run code."""
