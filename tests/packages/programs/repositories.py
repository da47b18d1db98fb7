# needs: python3-git python3-gitdb python3-dulwich mercurial git
# packages: git gitdb dulwich mercurial hgdemandimport hgext
"""Repositories made, changed and read by three libraries: commits, trees,
packs, diffs, merges, refs, servers' protocols, extensions by name, errors."""
import io
import os
import pathlib

os.environ.update(GIT_AUTHOR_NAME="a", GIT_AUTHOR_EMAIL="a@b", GIT_COMMITTER_NAME="a",
                  GIT_COMMITTER_EMAIL="a@b", GIT_AUTHOR_DATE="1700000000 +0000",
                  GIT_COMMITTER_DATE="1700000000 +0000", HGRCPATH="", HGUSER="me",
                  GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_NOSYSTEM="1")

import dulwich.client                                      # noqa: E402
import dulwich.repo                                        # noqa: E402
import git                                                 # noqa: E402
import git.exc                                             # noqa: E402
import gitdb                                               # noqa: E402
from dulwich import diff_tree, patch, porcelain            # noqa: E402
from dulwich.config import ConfigFile                      # noqa: E402
from dulwich.errors import NotGitRepository                # noqa: E402
from dulwich.graph import find_merge_base                  # noqa: E402
from dulwich.object_store import MemoryObjectStore         # noqa: E402
from dulwich.objects import Blob, Commit, ShaFile, Tree    # noqa: E402
from dulwich.pack import apply_delta, create_delta         # noqa: E402
from git import Actor, Head, InvalidGitRepositoryError     # noqa: E402
from git.objects.util import parse_date                    # noqa: E402
from git.refs import SymbolicReference                     # noqa: E402
from gitdb.base import IStream                             # noqa: E402
from gitdb.exc import BadName, BadObject                   # noqa: E402
from mercurial import (cmdutil, commands, error, extensions, hg,  # noqa: E402
                       match, node, pycompat, registrar, revset, scmutil, templater, ui)
from mercurial.utils import dateutil, stringutil           # noqa: E402

WHEN = b"1700000000 0"


class Ui(ui.ui):
    """A ui that keeps what is written."""

    def __init__(self, src=None):
        super().__init__(src)
        self.setconfig(b"ui", b"interactive", False)


def with_git():
    repo = git.Repo.init("g", initial_branch="main")
    pathlib.Path("g/a.txt").write_text("one\n")
    repo.index.add(["a.txt"])
    first = repo.index.commit("first", author=Actor("x", "x@y"))
    side = repo.create_head("side")
    side.checkout()
    pathlib.Path("g/a.txt").write_text("one\ntwo\n")
    repo.index.add(["a.txt"])
    second = repo.index.commit("second")
    repo.create_tag("v1", message="tagged")
    print(first.hexsha, second.hexsha, [c.summary for c in repo.iter_commits()],
          repo.tags[0].tag.message, isinstance(repo.head.reference, Head))
    d = first.diff(second, create_patch=True)[0]
    print(d.change_type, d.diff, second.stats.total, [b.path for b in second.tree])
    repo.heads.main.checkout()
    print(repo.git.merge("side"), repo.is_dirty(), repo.active_branch, len(
        repo.blame("HEAD", "a.txt")), repo.untracked_files, repo.git.rev_parse("v1^{}")
        == second.hexsha)
    with repo.config_writer() as writer:
        writer.set_value("tiny", "level", 3)
    print(repo.config_reader().get_value("tiny", "level"), repo.commit("HEAD~1")
          == first, SymbolicReference(repo, "HEAD").path, parse_date("1700000000 +0000"))
    remote = repo.create_remote("o", os.path.abspath("g"))
    print([str(i.ref) for i in remote.fetch()], repo.odb.stream(first.binsha).type)
    for bad in (lambda: git.Repo("/"), lambda: repo.git.nothing(), lambda: repo.commit(
            "absent"), lambda: repo.odb.info(b"\0" * 20)):
        try:
            bad()
        except (InvalidGitRepositoryError, git.exc.GitCommandError, ValueError,
                BadName, BadObject) as e:
            print(type(e).__name__)
    memory = gitdb.MemoryDB()
    stored = memory.store(IStream("blob", 3, io.BytesIO(b"abc")))
    print(stored.hexsha, memory.has_object(stored.binsha), memory.size())


def with_dulwich():
    repo = dulwich.repo.Repo("g")
    walk = [e.commit.message for e in repo.get_walker()]
    head = repo[repo.head()]
    print(walk, [e.path for e in repo[head.tree].items()], find_merge_base(
        repo, [head.id, head.parents[0]]) == head.parents[0], sorted(repo.refs.keys()))
    changes = diff_tree.tree_changes(repo.object_store, repo[head.parents[0]].tree,
                                     head.tree)
    out = io.BytesIO()
    for change in changes:
        patch.write_object_diff(out, repo.object_store, change.old, change.new)
    print(out.getvalue().decode())
    store = MemoryObjectStore()
    blob, tree, commit = Blob.from_string(b"x"), Tree(), Commit()
    tree.add(b"f", 0o100644, blob.id)
    commit.tree, commit.author, commit.committer = tree.id, b"a <a@b>", b"a <a@b>"
    commit.author_time = commit.commit_time = 1700000000
    commit.author_timezone = commit.commit_timezone = 0
    commit.message = b"m"
    store.add_objects([(o, None) for o in (blob, tree, commit)])
    print(commit.id, isinstance(commit, ShaFile), len(
        store._data), b"".join(apply_delta(b"abc", b"".join(
              create_delta(b"abc", b"abcd")))))
    porcelain.clone("g", "d", errstream=io.BytesIO())
    pathlib.Path("d/b.txt").write_text("b")
    porcelain.add("d", ["d/b.txt"])
    print(porcelain.status("d").staged["add"], porcelain.ls_tree.__name__, porcelain
          .commit("d", b"third", author=b"a <a@b>", committer=b"a <a@b>",
                  author_timezone=0, commit_timezone=0) != head.id)
    print(ConfigFile.from_file(io.BytesIO(b"[a \"b\"]\nc = 1\n")).get((b"a", b"b"), b"c"),
          type(dulwich.client.get_transport_and_path("git://h/p")[0]).__name__)
    try:
        dulwich.repo.Repo("/")
    except NotGitRepository as e:
        print(type(e).__name__)


def with_hg():
    own = Ui.load()
    table = {}
    command = registrar.command(table)

    @command(b"tiny", [(b"l", b"loud", None, b"shout")], b"hg tiny")
    def tiny(ui, repo, **opts):
        """a command of our own"""
        ui.write(b"tiny %r\n" % opts["loud"])

    extensions.loadall(own)
    for name in (b"rebase", b"graphlog", b"strip", b"mq", b"churn"):
        own.pushbuffer(error=True)
        extensions.load(own, name, b"")
        own.popbuffer()
    commands.table.update(table)
    repo = hg.repository(own, b"h", create=True)
    for number in (b"one", b"two"):
        pathlib.Path("h/a.txt").write_bytes(number + b"\n")
        commands.commit(own, repo, addremove=True, message=number, date=WHEN)
    repo.ui.pushbuffer()
    own.pushbuffer()
    commands.log(own, repo, template=b"{rev}:{node|short} {desc|upper} {date|isodate}\n",
                 rev=[], date=b"", user=[], keyword=[], graph=None)
    cmdutil.findcmd(b"tiny", commands.table)[1][0](own, repo, loud=True)
    print(own.popbuffer().decode(), repo.ui.popbuffer())
    print(list(repo.revs(b"heads(all()) or 0 and not desc('two')")), revset.match(
        own, b"tip")(repo).first(), node.hex(repo[0].node())[:8], [
            f for f in repo[b"."].walk(match.match(repo.root, b"", [b"glob:*.txt"]))],
        templater.unquotestring(b"'a'"), stringutil.pprint([b"x"]), dateutil.parsedate(
            b"2024-01-02 00:00 +0000"), pycompat.sysstr(b"s"))
    print(sorted(k for k in dict(extensions.extensions())))
    for bad in (lambda: scmutil.revsymbol(repo, b"absent"), lambda: hg.repository(own, b"none"), lambda:
                list(repo.revs(b"nofunc()"))):
        try:
            bad()
        except (error.RepoLookupError, error.RepoError, error.ParseError) as e:
            print(type(e).__name__)


with_git()
with_dulwich()
with_hg()
