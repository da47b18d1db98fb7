import string


class F(string.Formatter):
    pass


def show(v):
    return F().format("<{}>", v if v != int(v) else int(v))
