"""Weights from anywhere, read safely: nothing in a file can run code.

files.py        names of weights files; JSON with a limit
reading.py      any weights file -> tensors and settings
unpickling.py   torch's own files, with stand-ins for what they name
hub.py          a repository on the model hub -> a folder in its cache
"""
