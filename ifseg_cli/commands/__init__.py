"""One file a command: options in, core called, tables, bars and exit codes out."""
