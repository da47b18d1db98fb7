"""A program with a hot namespace, which looks for hot ones itself."""

# Looks once in a while at itself, as lazyd's operator does at others, for
# three times the CPU time that it takes to find a namespace hot.
HOT = """\
    import sys, time, {pending}
    LIMIT = 3
    def loop(count):
        total = 0
        for _ in range(count):
            total += LIMIT
        return total
    def watched():
        end = time.process_time() + 0.3
        settled = None
        while settled is None and time.process_time() < end:
            loop(20000)
            settled = settle()
        loop(20000)
        return settled
    def opcodes():
        import dis
        return {{one.opname for one in
                 dis.get_instructions(loop, adaptive=True)
                 if one.argval == "LIMIT"}}
    def never():
        return {uses}
    """
MAIN = """\
    import hot, lazycore, sys
    hot.settle = lazycore.settle
    before = lazycore.pending(hot)
    print(hot.watched(), before, lazycore.pending(hot), hot.opcodes())
    """


def write(pending, uses=None):
    return HOT.format(pending=pending, uses=uses or pending)
