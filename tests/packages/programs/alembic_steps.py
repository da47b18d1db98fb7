# needs: python3-alembic python3-mako python3-sqlalchemy
# packages: alembic
"""Database migrations made, listed, upgraded, compared and rendered by
Alembic's commands in a temporary folder.
"""
import contextlib
import io
import os
import re
import tempfile

import alembic
import alembic.autogenerate.api
import alembic.ddl.impl as ddl_impl
import sqlalchemy as sa
from alembic import autogenerate, command, op, util
from alembic.config import CommandLine, Config
from alembic.migration import MigrationContext
from alembic.operations import MigrateOperation, Operations, ops
from alembic.runtime.environment import EnvironmentContext
from alembic.script import Script, ScriptDirectory
from alembic.util.langhelpers import Dispatcher

ENV = """
from alembic import context
import sqlalchemy as sa

engine = sa.create_engine(context.config.get_main_option("sqlalchemy.url"))
if context.is_offline_mode():
    context.configure(dialect_name="sqlite", literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    with engine.connect() as link:
        context.configure(connection=link, render_as_batch=True)
        with context.begin_transaction():
            context.run_migrations()
"""
BODY = """
    op.create_table("note", sa.Column("id", sa.Integer, primary_key=True),
                    sa.Column("text", sa.String(20)))
    op.bulk_insert(sa.table("note", sa.column("text", sa.String)), [{"text": "a"}])
"""


@Operations.register_operation("shout")
class Shout(MigrateOperation):
    def __init__(self, text):
        self.text = text

    @classmethod
    def shout(cls, operations, text):
        return operations.invoke(cls(text))


@Operations.implementation_for(Shout)
def do_shout(operations, operation):
    operations.execute(f"update note set text = '{operation.text.upper()}'")


@autogenerate.renderers.dispatch_for(Shout)
def render_shout(context, operation):
    return f"op.shout({operation.text!r})"


def fill(script, body):
    text = open(script.path).read()
    head, tail = text.split("def upgrade() -> None:\n    pass", 1)
    with open(script.path, "w") as file:
        file.write(head + "def upgrade() -> None:" + body + tail)


def commands(folder):
    out = io.StringIO()
    config = Config(os.path.join(folder, "a.ini"), stdout=out,
                    output_buffer=out)
    with contextlib.redirect_stdout(io.StringIO()):
        command.init(config, os.path.join(folder, "m"))
    config.set_main_option("script_location", os.path.join(folder, "m"))
    config.set_main_option("sqlalchemy.url", f"sqlite:///{folder}/db")
    with open(os.path.join(folder, "m", "env.py"), "w") as file:
        file.write(ENV)
    with contextlib.redirect_stdout(io.StringIO()):
        first = command.revision(config, "first", rev_id="aaa")
        second = command.revision(config, "second", rev_id="bbb")
    fill(first, BODY)
    fill(second,
         '\n    op.shout("loud")\n    with op.batch_alter_table("note") as b:'
         '\n        b.add_column(sa.Column("n", sa.Integer))\n')
    out.truncate(0)
    command.upgrade(config, "aaa", sql=True)
    command.upgrade(config, "head")
    command.history(config)
    command.heads(config, verbose=False)
    command.current(config)
    print(re.sub(r"(?m)^.*(Generating|Creating).*\n", "", out.getvalue()
                 ).strip("\0 \n"))
    scripts = ScriptDirectory.from_config(config)
    print([s.revision for s in scripts.walk_revisions()],
          scripts.get_current_head(), isinstance(first, Script))
    for bad in ("zzz", "aaa:bbb:c"):
        try:
            command.upgrade(config, bad)
        except util.CommandError as error:
            print("error:", error)
    return f"sqlite:///{folder}/db"


def compare(url):
    meta = sa.MetaData()
    sa.Table("note", meta, sa.Column("id", sa.Integer, primary_key=True),
             sa.Column("text", sa.String(20), nullable=False, index=True))
    sa.Table("more", meta, sa.Column("x", sa.Float))
    with sa.create_engine(url).connect() as link:
        print(link.execute(sa.text("select text, n from note")).all())
        context = MigrationContext.configure(link)
        print(context.get_current_revision(), context.impl.__dialect__)
        made = autogenerate.produce_migrations(context, meta)
        made.upgrade_ops.ops.append(Shout("x"))
        print(autogenerate.render_python_code(made.upgrade_ops))
        print([d[0] if isinstance(d, tuple) else d[0][0]
               for d in autogenerate.compare_metadata(context, meta)])
        print(made.downgrade_ops.is_empty(),
              isinstance(made.upgrade_ops, ops.UpgradeOps))


def main():
    with tempfile.TemporaryDirectory() as folder:
        compare(commands(folder))
    print(sorted(ddl_impl._impls), CommandLine("alembic").parser.prog)
    with MigrationContext.configure(dialect_name="postgresql", opts={
            "as_sql": True, "output_buffer": (buf := io.StringIO())}
            ).begin_transaction():
        pass
    context = MigrationContext.configure(dialect_name="postgresql", opts={
        "as_sql": True, "output_buffer": buf})
    with Operations.context(context):
        op.alter_column("t", "c", type_=sa.BigInteger(), nullable=False)
        op.create_foreign_key("fk", "t", "u", ["a"], ["b"], ondelete="CASCADE")
        op.drop_constraint("x", "t")
    print(buf.getvalue().split())
    try:
        op.add_column("t", sa.Column("y"))
    except (NameError, AttributeError) as error:
        print(str(error).split(".")[0])
    print(Dispatcher.__name__, EnvironmentContext.__name__, bool(alembic))


if __name__ == "__main__":
    main()
