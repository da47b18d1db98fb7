from . import Command


class Add(Command):
    """add numbers"""

    @staticmethod
    def arguments(parser):
        parser.add_argument("n", nargs="+", type=int)

    def run(self, args):
        print(sum(args.n))
