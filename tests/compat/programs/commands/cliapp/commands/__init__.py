import importlib
import pkgutil

COMMANDS = {}


class Command:
    def __init_subclass__(cls):
        COMMANDS[cls.__name__.lower()] = cls

    @staticmethod
    def arguments(parser):
        pass


for info in pkgutil.iter_modules(__path__):
    importlib.import_module("%s.%s" % (__name__, info.name))
