import logging
import textwrap


class Short(logging.Formatter):
    def __init__(self, prefix):
        super().__init__("%(levelname).1s %(name)s %(message)s")
        self.prefix = prefix

    def format(self, record):
        return textwrap.indent(
            super().format(record).splitlines()[0], self.prefix + " "
        )
