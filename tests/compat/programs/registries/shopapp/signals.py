SENT = []
HANDLERS = []


def on(f):
    HANDLERS.append(f)
    return f


def send(what):
    for handler in HANDLERS:
        SENT.append((handler.__name__, what))
