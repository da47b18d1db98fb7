import getpass
from cliapp import formats
from cliapp.commands import Command
from cliapp.formats.base import get


class Greet(Command):
    """greet someone"""

    @staticmethod
    def arguments(parser):
        parser.add_argument("--name", default=getpass.getuser())

    def run(self, args):
        print("hello", args.name)


class Dump(Command):
    """dump things"""

    @staticmethod
    def arguments(parser):
        parser.add_argument("--fmt", choices=formats.available())

    def run(self, args):
        print(get(args.fmt)({"a": [1, 2]}))
        return len(formats.available())
