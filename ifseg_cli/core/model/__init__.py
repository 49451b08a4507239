"""OFA as a segmenter: backbones, positions, attention, encoder, decoder. Pure torch; knows tensors, no files."""
