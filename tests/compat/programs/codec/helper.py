import os.path
import sys


def where():
    return os.path.basename(__file__), __name__, sys.argv[1:]
