_known = {}


def fmt(name):
    def deco(f):
        _known[name] = f
        return f

    return deco


def get(name):
    return _known[name]


def available():
    return sorted(_known)
