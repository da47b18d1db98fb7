from . import circ_b


class A:
    name = "A"

    def other(self):
        return circ_b.B()
