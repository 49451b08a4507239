"""Image-free adaptation: loss, optimiser, schedule, checkpoints, the loop."""
