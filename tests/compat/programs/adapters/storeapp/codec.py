import codecs


def encode(text, errors="strict"):
    return text.swapcase().encode(), len(text)


def decode(data, errors="strict"):
    return bytes(data).decode().swapcase(), len(data)


class Inc(codecs.IncrementalDecoder):
    def decode(self, data, final=False):
        return decode(data)[0]


codecs.register(
    lambda n: codecs.CodecInfo(
        encode, decode, incrementaldecoder=Inc, name="swap_x"
    )
    if n == "swap_x"
    else None
)
codecs.register_error("storeapp.mark", lambda e: ("<%d>" % e.start, e.end))
