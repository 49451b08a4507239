"""What all pages share: one style sheet, one way to make HTML of names that may hold anything."""
