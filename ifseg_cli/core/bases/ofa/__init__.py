"""OFA as a segmenter: backbone, positions, attention, encoder, decoder; its published files and their sizes."""
