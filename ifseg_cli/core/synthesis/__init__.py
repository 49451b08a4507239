"""Artificial images: draws, their cells and targets, what a draw looks like.

    nearest.py     the resize rule of the method, index for index
    draws.py       one artificial image: a small map of categories, drawn in one of two layouts
    sampler.py     image k of a seed, and batches of them, for any number of processes
    evidence.py    cells as the built-in base sees them: a category's evidence with noise
    batches.py     images as training samples: cells in the model's space, targets
    components.py  connected regions of a map
    statistics.py  what n draws hold: sides, region sizes, class balance
    sheet.py       n draws on one picture, with a legend
    writing.py     n draws as a safetensors file

An artificial image is integers. Only `evidence.py` and `batches.py` know a model, and put category rows in their place.
"""
