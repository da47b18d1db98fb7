from . import signals
from . import models
from . import plugins
from .plugins.base import COMMANDS


def run(name, *args):
    return COMMANDS[name](*args)


signals.send("ready")
