"""All that the commands share. Never prints, never exits, never reads the command line."""
