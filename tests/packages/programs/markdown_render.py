# needs: python3-markdown python3-mistune python3-pygments python3-yaml
# packages: markdown mistune
"""Pages from Markdown: extensions by name and by entry point, processors of
our own in every registry, a renderer and an inline rule, treewalk, errors."""
import io
import xml.etree.ElementTree as etree

import markdown
import markdown.extensions
import markdown.extensions.toc
import mistune
from markdown import Markdown
from markdown.blockprocessors import BlockProcessor
from markdown.extensions import Extension, codehilite
from markdown.extensions.wikilinks import WikiLinkExtension
from markdown.inlinepatterns import InlineProcessor, SimpleTagInlineProcessor
from markdown.postprocessors import Postprocessor
from markdown.preprocessors import Preprocessor
from markdown.serializers import to_xhtml_string
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString, Registry

TEXT = """\
title: T
tags: a

# Head {#own .cls}

A *b* __c__ `d` <http://h/> [l][r] ![i](p.png "t") [[Wiki]] ~~gone~~ (c)
HTML is here. Note[^1].

[r]: http://r/ "title"
[^1]: Foot.
*[HTML]: Markup

1. one
    * two

> quote

!!! note "Look"
    inside

Term
:   what

| a | b |
|---|--:|
| 1 | 2 |

```python
def f(): pass
```

<div markdown="1">*in*</div>

---

[TOC]
"""


class Early(Preprocessor):
    def run(self, lines):
        return [line.replace("Term", "TERM") for line in lines]


class Bang(BlockProcessor):
    def test(self, parent, block):
        return block.startswith("%%")

    def run(self, parent, blocks):
        etree.SubElement(parent, "aside").text = blocks.pop(0)[2:]


class Copyright(InlineProcessor):
    def handleMatch(self, m, data):
        el = etree.Element("abbr")
        el.text = AtomicString("copyright")
        return el, m.start(0), m.end(0)


class Count(Treeprocessor):
    def run(self, root):
        root.append(etree.Comment(f"{len(list(root.iter()))} nodes"))


class Late(Postprocessor):
    def run(self, text):
        return text + "<!-- end -->"


class Own(Extension):
    def __init__(self, **kwargs):
        self.config = {"mark": ["x", "what to add"]}
        super().__init__(**kwargs)

    def extendMarkdown(self, md):
        md.preprocessors.register(Early(md), "early", 25)
        md.parser.blockprocessors.register(Bang(md.parser), "bang", 175)
        md.inlinePatterns.register(Copyright(r"\(c\)", md), "copy", 175)
        md.inlinePatterns.register(SimpleTagInlineProcessor(r"(~~)(.*?)~~", "del"),
                                   "gone", 60)
        md.treeprocessors.register(Count(md), "count", 0)
        md.postprocessors.register(Late(md), "late", 0)


names = ["extra", "meta", "toc", "admonition", "codehilite", "sane_lists", "smarty",
         "nl2br", "wikilinks", "legacy_attrs"]
for name in names:
    md = Markdown(extensions=[name])
    print(name, len(md.convert(TEXT)), sorted(p for p in md.parser.blockprocessors
                                             ._data)[:3])
md = Markdown(extensions=["extra", "meta", "markdown.extensions.toc", Own(mark="y"),
                          WikiLinkExtension(base_url="/w/"), "smarty"],
              extension_configs={"toc": {"permalink": True}}, output_format="html")
print(md.convert(TEXT + "\n%%aside\n"), md.Meta, md.toc_tokens[0]["id"])
md.reset()
out = io.BytesIO()
md.convertFile(io.BytesIO(b"*x*"), out)
print(out.getvalue(), to_xhtml_string(etree.fromstring("<a><br/></a>")),
      codehilite.parse_hl_lines("1 3"), markdown.extensions.toc.slugify("A b!", "-"))
for bad in (lambda: Markdown(extensions=["nothing.at.all"]), lambda: Markdown(
        output_format="nope"), lambda: Own(other=1), lambda: Registry()["x"], lambda:
            markdown.markdown(b"bytes\xff")):
    try:
        bad()
    except (ImportError, KeyError, UnicodeDecodeError) as error:
        print(type(error).__name__, str(error)[:40])
print(markdown.markdown("a", extensions=[Own()]), mistune.__version__[:1])
