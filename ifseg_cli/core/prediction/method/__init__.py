"""The method on one batch: scores, smoothing, up-sampling (section 6)."""
