# needs: python3-jinja2
# packages: jinja2 markupsafe
"""Templates: loaders, extensions, filters and tests by name, the sandbox,
native types, bytecode caches, errors, meta and async rendering.
"""
import asyncio
import gettext
import io
import pickle
import tempfile

import jinja2
import jinja2.ext
import jinja2.nativetypes
import jinja2.sandbox
from jinja2 import meta, nodes
from jinja2.bccache import FileSystemBytecodeCache
from jinja2.exceptions import TemplateSyntaxError, UndefinedError
from jinja2.ext import Extension
from jinja2.loaders import ChoiceLoader, DictLoader, FunctionLoader
from jinja2.loaders import PrefixLoader
from jinja2.utils import Cycler, LRUCache, htmlsafe_json_dumps
from markupsafe import Markup, escape

SOURCES = {
    "base": "<{% block head %}base{% endblock %}>{% block body scoped %}"
            "{% endblock %}",
    "page": "{% extends 'base' %}{% from 'macros' import field %}"
            "{% block head %}{{ super() }}+page{% endblock %}"
            "{% block body %}{{ field('n', v) }}{% include 'part' %}"
            "{% endblock %}",
    "macros": "{% macro field(name, value='') -%}"
              "[{{ name }}={{ value|e }}{{ caller() if caller }}]"
              "{%- endmacro %}",
    "part": "{% for x in items if x is odd %}{{ loop.index }}:{{ x }}"
            "{{ ',' if not loop.last }}{% else %}none{% endfor %}",
}


class Repeat(Extension):
    tags = {"repeat"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        count = parser.parse_expression()
        body = parser.parse_statements(["name:endrepeat"], drop_needle=True)
        call = self.call_method("_repeat", [count])
        return nodes.CallBlock(call, [], [], body).set_lineno(line)

    def _repeat(self, count, caller):
        return caller() * count


def environment(**options):
    loader = ChoiceLoader([
        DictLoader(SOURCES),
        PrefixLoader({"p": DictLoader({"x": "prefixed"})}),
        FunctionLoader(lambda name: "made " + name if name == "f" else None),
    ])
    return jinja2.Environment(
        loader=loader, autoescape=True,
        extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols",
                    "jinja2.ext.i18n", "jinja2.ext.debug", Repeat],
        **options)


async def later(env):
    async def numbers():
        for i in range(3):
            yield i

    template = env.from_string(
        "{% for n in ns() %}{{ n }}{% endfor %}{{ f() }}")

    async def value():
        return "later"

    return await template.render_async(ns=numbers, f=value)


def main():
    env = environment()
    print(env.get_template("page").render(v="<a>", items=range(6)))
    print(env.get_template("p/x").render(), env.get_template("f").render())
    text = env.from_string(
        "{% repeat 2 %}{{ x|upper }}{% endrepeat %}"
        "{% set l = [] %}{% do l.append(1) %}{{ l }}"
        "{% for i in r %}{% if i == 2 %}{% break %}{% endif %}{{ i }}"
        "{% endfor %}{{ r|map('string')|join('-') }}|{{ d|dictsort }}"
        "|{{ 'a b c'|wordcount }}|{{ 1234567|filesizeformat }}"
        "|{{ words|groupby('n')|length }}|{{ '<i>'|striptags }}"
        "|{{ d|tojson }}|{{ words|sum(attribute='n') }}")
    print(text.render(x="q", r=range(4), d={"b": 1, "a": "<"},
                      words=[{"n": 1}, {"n": 2}, {"n": 1}]))
    env.install_gettext_translations(gettext.NullTranslations())
    print(env.from_string("{% trans n=3 %}one{% pluralize %}{{ n }} many"
                          "{% endtrans %}").render())
    print(list(jinja2.ext.babel_extract(io.BytesIO(b"{{ _(1, 'x') }}"),
                                        ["_"], [], {})), sorted(
        env.extract_translations("{{ _('hi') }}{{ gettext('ho') }}")))
    for bad in ("{% if %}", "{{ a.b.c }}", "{{ 1|nofilter }}",
                "{% include 'gone' %}"):
        try:
            env.from_string(bad).render()
        except (TemplateSyntaxError, UndefinedError,
                jinja2.TemplateNotFound) as error:
            print(type(error).__name__, str(error)[:60])
    safe = jinja2.sandbox.ImmutableSandboxedEnvironment()
    for bad in ("{{ ().__class__.__mro__ }}", "{{ l.append(1) }}",
                "{{ 'x{0.__class__}'.format(1) }}"):
        try:
            print(repr(safe.from_string(bad).render(l=[])))
        except jinja2.exceptions.SecurityError as error:
            print("refused:", str(error)[:50])
    native = jinja2.nativetypes.NativeEnvironment()
    print(native.from_string("{{ [x, x * 2] }}").render(x=3))
    tree = env.parse("{% extends 'base' %}{{ a + b }}{% set c = d %}")
    print(sorted(meta.find_undeclared_variables(tree)),
          list(meta.find_referenced_templates(tree)))
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(2):
            cached = environment(bytecode_cache=FileSystemBytecodeCache(folder))
            print(cached.get_template("part").render(items=[1, 2, 3]))
    for kind in (jinja2.StrictUndefined, jinja2.DebugUndefined,
                 jinja2.ChainableUndefined):
        try:
            print(environment(undefined=kind).from_string("<{{ u }}>").render())
        except UndefinedError as error:
            print("strict:", error)
    print(asyncio.run(later(environment(enable_async=True))))
    cycle, cache = Cycler("a", "b"), LRUCache(2)
    for key in "xyz":
        cache[key] = key
    print(cycle.next(), cycle.next(), cycle.next(), sorted(cache),
          pickle.loads(pickle.dumps(cache)).capacity)
    print(Markup("<b>%s</b>") % "<i>", escape("&"), htmlsafe_json_dumps("<"),
          env.compile_expression("a * 2 + b|length")(a=2, b="xyz"))


if __name__ == "__main__":
    main()
