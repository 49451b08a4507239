"""What is written for people and tools: masks, overlays, the page."""
