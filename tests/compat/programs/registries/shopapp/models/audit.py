from shopapp.signals import on
from shopapp import signals


@on
def record(what):
    pass


@signals.on
def again(what):
    pass
