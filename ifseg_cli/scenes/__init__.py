"""Scenes: a drawn world of landscapes, streets and rooms, with exact truth in any number.

    draw.py         scene(seed, index) -> picture and labels; the only name that most callers need
    files.py        scenes as a data set: drawn once into a folder, then read like any other
    categories.py   what a label means
    landscape.py, street.py, room.py               the three worlds: what stands where
    nature.py, built.py, furniture.py, movers.py   the things in them
    view.py, canvas.py, shapes.py                  where a metre lies; picture and label painted in one stroke
    surfaces.py, textures.py, paint.py             what a surface looks like from the front, or receding
    camera.py       light, colour cast, blur and noise, over the finished picture

Truth is exact because there is one way to paint: `Canvas` writes the category wherever it writes colour.
"""
