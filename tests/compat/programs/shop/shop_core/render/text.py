import textwrap

from . import kind


@kind
def show(basket):
    return textwrap.indent("\n".join(map(str, basket.lines)), "> ")
