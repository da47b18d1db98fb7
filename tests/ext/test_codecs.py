"""What the codec of host names imports of the standard library waits, where it
is sure to load: most need no tables."""
import pytest

ASCII = "print('a.example'.encode('idna'))\n"
OTHER = "print('\\u00fc.example'.encode('idna'))\n"


def test_tables_wait_until_text_needs_them(both):
    run = both({}, ASCII)
    assert run.state("encodings.idna") in ("ignored", "eager")
    assert run.state("stringprep") == "proxy"
    run = both({}, ASCII + OTHER)
    assert run.out == "b'a.example'\nb'xn--tda.example'\n"
    assert run.state("stringprep") == "real"


@pytest.mark.parametrize("files", [
    {"setup.py": "import sys\nsys.modules['stringprep'] = None\n"},
    {"setup.py": "import sys\n", "stringprep.py": "import nowhere_at_all\n"},
])
def test_a_codec_that_cannot_load_is_unknown(both, files):
    """The search takes an ImportError for a codec that is not there."""
    run = both(files, f"""\
        import setup
        setup.sys
        try:
            {ASCII.strip()}
        except LookupError as error:
            print(error)
        """)
    assert run.out == "unknown encoding: idna\n"


def test_at_the_end(both):
    """A finalizer may need it when nothing can be imported any more."""
    run = both({}, f"""\
        'x'.encode('punycode')
        {ASCII.strip()}
        class Late:
            def __del__(self):
                {OTHER.strip()}
        late = Late()
        """)
    assert run.out.endswith("b'xn--tda.example'\n")


@pytest.mark.parametrize("codec", ["base64", "bz2"])
def test_others_have_all_at_the_end(both, codec):
    """What their modules import has imports of its own."""
    run = both({}, f"""\
        import codecs
        codecs.lookup("{codec}")
        class Late:
            def __del__(self):
                print(codecs.encode(b"x", "{codec}")[:2])
        late = Late()
        """)
    assert run.out.startswith("b'")


def test_one_of_ones_own(both):
    """What its module imports may lack names, too."""
    both({"folder/mine.py": "import codecs\nimport own\n"
          "def getregentry():\n"
          "    return codecs.CodecInfo(own.loads, None, name='mine')\n",
          "own.py": "from plistlib import loads, nothing\n"}, """\
        import encodings
        encodings.__path__.append("folder")
        try:
            print("x".encode("mine"))
        except LookupError as error:
            print(error)
        """)
