"""What a codec's module imports of the standard library waits, where it is
sure to load: most host names need no tables."""
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
