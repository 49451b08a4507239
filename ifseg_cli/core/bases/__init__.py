"""Families of models behind one interface: `base.py` says what a base is to the rest of the program.

base.py      the interface
places.py    where a base or a model lies, told from its name; nothing heavy
loaded.py    what loading gives
folder.py    the doors: a base by its name, a model by its path; our own folders, read and written
ofa/         OFA: network, sizes, key maps, published files
builtin/     the base that ships: OFA's encoder and decoder on an ImageNet classifier's evidence
"""
