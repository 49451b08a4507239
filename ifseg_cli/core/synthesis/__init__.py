"""Artificial images: draws, their cells and targets, what a draw looks like.

    nearest.py     the resize rule of the method, index for index
    draws.py       one artificial image: a small map of categories, drawn in one of two layouts
    sampler.py     image k of a seed, and batches of them, for any number of processes
    components.py  connected regions of a map
    statistics.py  what n draws hold: sides, region sizes, class balance
    sheet.py       n draws on one picture, with a legend
    writing.py     n draws as a safetensors file

An artificial image is integers; what it looks like to a base is the base's to say (`Network.artificial`).
"""
