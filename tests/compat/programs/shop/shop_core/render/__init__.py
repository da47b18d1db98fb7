KINDS = []


def kind(function):
    KINDS.append(function.__module__)
    return function
