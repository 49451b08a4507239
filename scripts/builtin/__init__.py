"""How the built-in base is made: the parts of `scripts/make_builtin.py`."""
