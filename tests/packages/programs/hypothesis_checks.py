# needs: python3-hypothesis python3-attr python3-sortedcontainers python3-numpy python3-pytest
# packages: hypothesis attr sortedcontainers
"""Property checks run by a service itself: strategies of many kinds, found
for types, drawn into data, a state machine, shrinking, settings, errors."""
import datetime
import decimal
import enum
import re
import typing

import attr
import hypothesis
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, assume, example, find, given, settings
from hypothesis.database import InMemoryExampleDatabase
from hypothesis.errors import InvalidArgument, NoSuchExample, Unsatisfiable
from hypothesis.extra.ghostwriter import fuzz
from hypothesis.stateful import (Bundle, RuleBasedStateMachine, invariant, rule,
                                 run_state_machine_as_test)
from hypothesis.strategies import SearchStrategy, composite, register_type_strategy

fixed = settings(database=None, derandomize=True, max_examples=15, deadline=None,
                 phases=[Phase.explicit, Phase.generate, Phase.shrink],
                 suppress_health_check=list(HealthCheck.all()), print_blob=False)
settings.register_profile("fixed", fixed)
settings.load_profile("fixed")


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


@attr.s(auto_attribs=True)
class Record:
    name: str
    colour: Colour
    tags: typing.List[int] = attr.ib(validator=attr.validators.instance_of(list))


class Even(int):
    pass


register_type_strategy(Even, st.integers(0, 50).map(lambda n: Even(2 * n)))


@composite
def spans(draw):
    low = draw(st.integers(0, 10))
    return low, draw(st.integers(low, 20))


class Stack(RuleBasedStateMachine):
    values = Bundle("values")

    def __init__(self):
        super().__init__()
        self.stack = []

    @rule(target=values, n=st.integers(0, 3))
    def push(self, n):
        self.stack.append(n)
        return n

    @rule(n=values)
    def seen(self, n):
        assert 0 <= n <= 3

    @invariant()
    def small(self):
        assert len(self.stack) < 4, "too many"


kinds = {
    "integers": st.integers(), "floats": st.floats(1.5, allow_nan=False),
    "text": st.text(min_size=2), "lists": st.lists(st.booleans(), min_size=1),
    "regex": st.from_regex(r"\A[a-c]{2}\Z"), "dates": st.dates(), "uuid": st.uuids(),
    "decimals": st.decimals(allow_nan=False), "fractions": st.fractions(1),
    "emails": st.emails(), "complex": st.complex_numbers(min_magnitude=1),
    "recursive": st.recursive(st.none(), st.lists, max_leaves=3),
    "dict": st.fixed_dictionaries({"a": st.just(1)}, optional={"b": st.none()}),
    "one": st.one_of(st.none(), st.binary(min_size=1)), "chars": st.characters(
        whitelist_categories=["Lu"]), "sampled": st.sampled_from(Colour),
    "zones": st.timezones(), "ip": st.ip_addresses(v=4), "spans": spans(),
    "perm": st.permutations([1, 2]), "record": st.from_type(Record),
    "even": st.from_type(Even), "union": st.from_type(typing.Optional[Even]),
    "tuple": st.from_type(typing.Tuple[int, str]), "delta": st.timedeltas(),
    "slices": st.slices(3), "domain": hypothesis.provisional.domains(),
    "arrays": hnp.arrays(hnp.integer_dtypes(), (2,)).map(lambda a: a.tolist()),
    "deferred": st.deferred(lambda: st.integers(4, 5)), "sets": st.frozensets(
        st.integers(), min_size=2).map(sorted), "shared": st.shared(st.just("s")),
}
for name, strategy in kinds.items():
    print(name, find(strategy, lambda value: True, settings=fixed))


@given(st.lists(st.integers(), min_size=1), st.data())
@example([1], None)
def biggest(values, data):
    if data is not None:
        hypothesis.target(float(len(values)))
        hypothesis.event("size")
        assume(data.draw(st.sampled_from(values)) <= max(values))


@given(x=st.integers(), text=st.text())
def wrong(x, text):
    hypothesis.note("noted")
    assert x < 100, "big"


@given(...)
def inferred(record: Record, when: datetime.date, d: decimal.Decimal):
    assert isinstance(record.colour, Colour)


biggest()
inferred()
for failing in (wrong, lambda: run_state_machine_as_test(Stack)):
    try:
        failing()
    except AssertionError as error:
        print(error, [re.sub(r"\s+", " ", note) for note in getattr(
            error, "__notes__", [])])
for bad in (lambda: find(st.integers(0, 3), lambda n: n > 5), lambda: st.integers(
        5, 1).example, lambda: st.integers(5, 1).validate(), lambda: st.lists(
            st.nothing(), min_size=1).validate(), lambda: st.from_type(
                "x").validate(), lambda: settings.get_profile("none")):
    try:
        bad()
    except (NoSuchExample, Unsatisfiable, InvalidArgument) as error:
        print(type(error).__name__)
print(isinstance(st.none(), SearchStrategy), repr(st.lists(st.integers(0))),
      len(InMemoryExampleDatabase().data), hypothesis.__name__)
print("def test_fuzz_compile" in fuzz(re.compile), settings().derandomize)
