"""Data sets: where their files lie, what their ids mean, and how their labels are read.

    dataset.py     what every data set is, once its files are found
    registry.py    data sets by name
    layouts.py     published trees, from one table (layouts.yaml)
    folder.py      any pair of folders
    scenes.py      the drawn world as a data set
    coco.py, panoptic.py   labels that are no label maps
    class_map.py   what values or names are among the classes
    preflight.py   before any work: do labels, images and classes fit together?

Nothing here knows a model.
"""
