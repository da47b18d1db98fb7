"""Writes the modules of a scene into its folder."""
import importlib
import os


def write(files):
    for name, text in files.items():
        os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
        with open(name, "w") as file:
            file.write(text)
    importlib.invalidate_caches()
