"""The one place that opens and writes pictures and label maps.

opening.py   any file -> an open picture, or one line that says why not
decode.py    photographs -> upright 8-bit RGB
resize.py    to the network's size, as published
sources.py   which pictures are meant, and what their results are called
labels.py    label maps, read and written
classes.py   classes.json: what the values of a folder of masks mean
"""
