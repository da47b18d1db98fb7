# needs: python3-pydantic python3-typing-extensions
# packages: pydantic typing_extensions
"""The models of an API: validators, settings, generics, data classes,
custom types, JSON schema, errors, forward references and copies."""
import copy
import enum
import json
import os
import pickle
import types
from datetime import date
from typing import Dict, Generic, List, Optional, TypeVar, Union

import pydantic
import pydantic.dataclasses
import pydantic.errors
import typing_extensions
from pydantic import (BaseModel, BaseSettings, Field, PrivateAttr, SecretStr,
                      ValidationError, conint, constr, root_validator,
                      validate_arguments, validator)
from pydantic.color import Color
from pydantic.generics import GenericModel
from pydantic.json import pydantic_encoder
from pydantic.networks import AnyUrl, IPvAnyAddress
from pydantic.schema import schema
from pydantic.tools import parse_obj_as, schema_of
from pydantic.types import ByteSize, PaymentCardNumber
from pydantic.utils import deep_update
from typing_extensions import (Annotated, Literal, Protocol, TypedDict,
                               get_type_hints, runtime_checkable)

T = TypeVar("T")


class Level(str, enum.Enum):
    low = "low"
    high = "high"


class Plate(str):
    """A string of our own kind."""

    @classmethod
    def __get_validators__(cls):
        yield cls.check

    @classmethod
    def __modify_schema__(cls, field_schema):
        field_schema.update(pattern="^[A-Z]+$")

    @classmethod
    def check(cls, value):
        if not value.isupper():
            raise pydantic.errors.StrRegexError(pattern="^[A-Z]+$")
        return cls(value)


class Item(BaseModel):
    name: constr(min_length=2)
    count: conint(gt=0) = 1
    level: Level = Level.low
    price: Annotated[float, Field(ge=0)] = 0
    parent: Optional["Item"] = None
    plate: Optional[Plate] = None
    tint: Color = Color("red")
    _seen: int = PrivateAttr(0)

    class Config:
        allow_population_by_field_name = True
        json_encoders = {Color: lambda c: c.as_hex()}

    @validator("name")
    def trim(cls, value):
        return value.strip()

    @root_validator
    def whole(cls, values):
        if values.get("name") == "bad":
            raise ValueError("a bad name")
        return values


Item.update_forward_refs()


class Page(GenericModel, Generic[T]):
    items: List[T]
    kind: Literal["page"] = "page"


class Env(BaseSettings):
    port: int = 1
    secret: SecretStr = SecretStr("x")

    class Config:
        env_prefix = "TINY_"


@pydantic.dataclasses.dataclass
class Pair:
    left: int
    right: date


class Movie(TypedDict, total=False):
    title: typing_extensions.Required[str]
    year: int


@runtime_checkable
class Runs(Protocol):
    def run(self): ...


@validate_arguments
def area(w: int, h: int = 2) -> int:
    return w * h


item = Item(name="ab ", parent={"name": "cd", "count": "3"}, plate="XY")
print(repr(item), item.json(), item.dict(exclude={"parent"}))
print(pickle.loads(pickle.dumps(item)) == copy.deepcopy(item) ==
      item.copy(update={"count": 1}), Item.construct(name="q").name)
for data in ({"name": "a", "count": 0, "level": "mid", "plate": "x"},
             {"name": "bad"}, {}):
    try:
        Item(**data)
    except ValidationError as error:
        print(error.json(indent=None), error)
print(Page[Item](items=[{"name": "ef"}]).items[0].name, Page[int].__name__)
os.environ["TINY_PORT"] = "80"
print(Env(), repr(Env(secret="s").secret), Pair("1", "2024-01-02"))
print(json.dumps(schema([Item, Page[int]]), sort_keys=True)[:300])
print(schema_of(Union[int, str]), parse_obj_as(List[int], ["1", 2]),
      json.dumps([Pair(1, date(2024, 1, 2)), Level.low],
                 default=pydantic_encoder))
print(area("3"), deep_update({"a": {"b": 1}}, {"a": {"c": 2}}))
for kind, value in ((AnyUrl, "http://h:1/p"), (IPvAnyAddress, "::1"), (
        ByteSize, "1kb"), (PaymentCardNumber, "4000000000000002"), (Movie,
        {"title": "t"}), (Dict[str, Level], {"a": "high"}), (Color, "nope")):
    try:
        print(repr(parse_obj_as(kind, value)))
    except ValidationError as error:
        print(error.errors()[0]["type"])
print(pydantic.create_model("Made", x=(int, 3))(), get_type_hints(
    Movie, include_extras=True)["year"], isinstance(types.SimpleNamespace(
        run=1), Runs), pydantic.VERSION > "1")
