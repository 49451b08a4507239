"""What the benchmarks of the built-in base share.

pictures.py   which pictures there are, what their masks mean, and the vocabularies they are read with
looks.py      what the base sees in a picture, kept on disk
rows.py       the rows of a table: from what is seen to a label for every pixel
units.py      a model, a vocabulary and some rows, measured; many of them side by side
numbers.py    from pixels to mIoU, with intervals over pictures and spread over seeds
options.py    the options that the commands share
"""
