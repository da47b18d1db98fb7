# needs: python3-graphene python3-graphql-core
# packages: graphene graphql graphql_relay
"""A GraphQL schema with Graphene: types, interfaces, unions, mutations, relay
connections, middleware, errors; the parser, printer and visitor below it.
"""
import collections
import datetime
import json

import graphene
import graphene.relay
import graphene.types.datetime
import graphql
import graphql.language.visitor
import graphql.utils.schema_printer
from graphene import Argument, Boolean, Enum, Field, ID, InputObjectType, Int
from graphene import Interface, List, Mutation, NonNull, ObjectType, Scalar
from graphene import Schema, String, Union, relay, resolve_only_args
from graphene.types.json import JSONString
from graphene.types.resolver import dict_resolver
from graphene.utils.str_converters import to_camel_case
from graphql import GraphQLError, GraphQLField, GraphQLObjectType, GraphQLSchema
from graphql import GraphQLString, build_ast_schema, parse, print_ast, validate
from graphql.error import format_error
from graphql.execution.executors.thread import ThreadExecutor
from graphql.language import ast
from graphql.language.visitor import BREAK, Visitor, visit
from graphql.utils.introspection_query import introspection_query
from graphql_relay import from_global_id, to_global_id
from graphql_relay.connection.arrayconnection import offset_to_cursor

BOOKS = collections.OrderedDict((str(n), {"id": str(n), "title": t}) for n, t in
                                enumerate(["Sea", "Air", "Ice"]))


class Colour(Enum):
    RED = 1
    BLUE = 2

    @property
    def description(self):
        return f"colour {self.name}" if self else "colours"


class Reversed(Scalar):
    """Text backwards."""

    @staticmethod
    def serialize(value):
        return value[::-1]

    parse_value = serialize

    @staticmethod
    def parse_literal(node):
        if isinstance(node, ast.StringValue):
            return node.value[::-1]


class Named(Interface):
    name = String(required=True)

    @classmethod
    def resolve_type(cls, instance, info):
        return Person if "age" in instance else Robot


class Person(ObjectType):
    class Meta:
        interfaces = [Named]
        default_resolver = dict_resolver

    age = Int(deprecation_reason="rude")


class Robot(ObjectType):
    class Meta:
        interfaces = [Named]
        default_resolver = dict_resolver

    colour = Colour()


class Being(Union):
    class Meta:
        types = (Person, Robot)

    resolve_type = Named.resolve_type


class Book(ObjectType):
    class Meta:
        interfaces = [relay.Node]
        default_resolver = dict_resolver

    title = String()
    printed = graphene.types.datetime.Date()

    def resolve_printed(self, info):
        return datetime.date(2020, 1, 2)

    @classmethod
    def get_node(cls, info, key):
        return BOOKS[key]

    @classmethod
    def is_type_of(cls, value, info):
        return isinstance(value, dict) and "title" in value


class Books(relay.Connection):
    class Meta:
        node = Book

    total = Int()

    def resolve_total(self, info):
        return len(BOOKS)


class Filter(InputObjectType):
    start = String(default_value="")
    size = Int(required=True)


class AddBook(relay.ClientIDMutation):
    class Input:
        title = String(required=True)

    book = Field(Book)

    @classmethod
    def mutate_and_get_payload(cls, root, info, title, client_mutation_id=None):
        key = str(len(BOOKS))
        BOOKS[key] = {"id": key, "title": title}
        return AddBook(book=BOOKS[key])


class Clear(Mutation):
    class Arguments:
        sure = Boolean(required=True)

    ok = Boolean()

    def mutate(self, info, sure):
        if not sure:
            raise GraphQLError("not sure")
        return Clear(ok=True)


class Query(ObjectType):
    node = relay.Node.Field()
    books = relay.ConnectionField(Books)
    beings = NonNull(List(Being))
    named = Field(Named, name=Argument(String))
    text = Reversed(text=Reversed())
    found = Field(JSONString, filter=Argument(Filter))
    user_name = String()
    fail = String()

    def resolve_books(self, info, **kwargs):
        return list(BOOKS.values())

    def resolve_beings(self, info):
        return [{"name": "ann", "age": 5}, {"name": "r2", "colour": 2}]

    def resolve_named(self, info, name):
        return {"name": name, "age": 1}

    def resolve_text(self, info, text="abc"):
        return text

    def resolve_found(self, info, filter):
        return [b["title"] for b in BOOKS.values() if b["title"].startswith(
            filter.start)][:filter.size]

    @resolve_only_args
    def resolve_user_name(self):
        return "me"

    def resolve_fail(self, info):
        raise KeyError(info.context["who"])


class Mutations(ObjectType):
    add_book = AddBook.Field()
    clear = Clear.Field()


def shout(next, root, info, **args):
    value = next(root, info, **args)
    if info.field_name == "userName":
        return value.then(str.upper) if hasattr(value, "then") else value.upper()
    return value


class Depth(Visitor):
    def __init__(self):
        self.names = []

    def enter_Field(self, node, key, parent, path, ancestors):
        self.names.append(node.name.value)
        if node.name.value == "stop":
            return BREAK


def main():
    schema = Schema(query=Query, mutation=Mutations, types=[Person, Robot])
    book = to_global_id("Book", "1")
    for text, variables in (
            ("{beings {__typename ... on Named {name} ... on Robot {colour}}}", {}),
            ("{books(first: 2, after: \"%s\") {total pageInfo {hasNextPage} edges "
             "{cursor node {id title printed}}}}" % offset_to_cursor(0), {}),
            ("query Q($id: ID!) {node(id: $id) {...b}} fragment b on Book {title}",
             {"id": book}),
            ("query ($f: Filter!) {found(filter: $f) text(text: \"xyz\") userName}",
             {"f": {"start": "S", "size": 1}}),
            ("query ($f: Filter!) {found(filter: $f)}", {"f": {"start": 1}}),
            ("mutation {addBook(input: {title: \"New\", clientMutationId: \"c\"}) "
             "{book {id title} clientMutationId} clear(sure: false) {ok}}", {}),
            ("{named(name: \"q\") {name __typename} fail}", {}),
            ("{nothing}", {}), ("{", {}), ("{node(id: \"bad\") {id}}", {})):
        done = schema.execute(text, variables=variables, middleware=[shout],
                              context={"who": "ctx"})
        print(json.dumps(done.data, sort_keys=True), [str(
            format_error(e)["message"]).splitlines()[0][:70]
            for e in done.errors or []])
    described = schema.execute(introspection_query)
    print(len(described.data["__schema"]["types"]) > 20, schema.introspect() == {
        "__schema": described.data["__schema"]}, len(str(schema)) > 500)
    tree = parse("query Q($a: [Int!] = [1]) { a(x: {y: $a}) @skip(if: true) {b}"
                 " stop c }")
    depth = Depth()
    visit(tree, depth)
    print(print_ast(tree).split(), depth.names, from_global_id(book))
    plain = GraphQLSchema(GraphQLObjectType("Q", lambda: {
        "hello": GraphQLField(GraphQLString, resolver=lambda *_: "world")}))
    print(graphql.graphql(plain, "{hello}", executor=ThreadExecutor()).data,
          [str(e).split("\n")[0] for e in validate(plain, parse("{nope}"))],
          graphql.utils.schema_printer.print_schema(build_ast_schema(parse(
              "schema {query: A} type A {b: [Int!]! c(d: E = X): A} enum E {X Y}"
          ))).split(), to_camel_case("a_bc_d"), ID.__name__,
          graphql.language.visitor.REMOVE is not BREAK, graphene.relay.is_node(Book))


if __name__ == "__main__":
    main()
