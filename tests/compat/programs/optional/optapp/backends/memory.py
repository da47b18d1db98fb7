import sys

NAME = "mem"
default = sys.modules[__name__]
