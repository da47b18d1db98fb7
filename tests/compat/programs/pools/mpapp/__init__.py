from .jobs import square
