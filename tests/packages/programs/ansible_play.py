# needs: ansible-core python3-yaml python3-jinja2 python3-cryptography python3-packaging python3-resolvelib
# packages: ansible
"""Plays that run on this machine alone: an inventory, variables and a vault,
templates with filters, tests and look-ups by name, a callback and a filter
of our own, actions that need no remote module, errors."""
import os
import pathlib
import shutil

os.environ.update(ANSIBLE_LOCAL_TEMP="tmp", ANSIBLE_REMOTE_TEMP="tmp", ANSIBLE_NOCOLOR="1",
                  ANSIBLE_FILTER_PLUGINS="filters", ANSIBLE_RETRY_FILES_ENABLED="0")

import ansible.constants as C                              # noqa: E402
import ansible.plugins.loader                              # noqa: E402
from ansible import context                                # noqa: E402
from ansible.cli.arguments import option_helpers           # noqa: E402
from ansible.errors import (AnsibleError, AnsibleParserError,  # noqa: E402
                            AnsibleUndefinedVariable)
from ansible.executor.task_queue_manager import TaskQueueManager  # noqa: E402
from ansible.inventory.manager import InventoryManager     # noqa: E402
from ansible.module_utils.common.collections import ImmutableDict  # noqa: E402
from ansible.module_utils.common.text.converters import to_bytes, to_text  # noqa: E402
from ansible.module_utils.common.validation import check_type_bool  # noqa: E402
from ansible.parsing.dataloader import DataLoader          # noqa: E402
from ansible.parsing.mod_args import ModuleArgsParser      # noqa: E402
from ansible.parsing.splitter import parse_kv              # noqa: E402
from ansible.parsing.vault import VaultLib, VaultSecret    # noqa: E402
from ansible.parsing.yaml.objects import AnsibleUnicode    # noqa: E402
from ansible.playbook.play import Play                     # noqa: E402
from ansible.plugins.callback import CallbackBase          # noqa: E402
from ansible.template import Templar                       # noqa: E402
from ansible.utils.vars import combine_vars                # noqa: E402
from ansible.vars.manager import VariableManager           # noqa: E402

HOSTS = "[web]\none ansible_connection=local level=3\n[db]\ntwo\n[all:vars]\nsite=home\n"
FILTER = "class FilterModule:\n    def filters(self):\n" \
         "        return {'shout': lambda text: text.upper() + '!'}\n"
TASKS = [
    {"name": "said", "debug": {"msg": "{{ level + 1 }} {{ site | shout }}"}},
    {"set_fact": {"fact": "{{ range(3) | list }}"}},
    {"debug": {"var": "fact"}, "loop": [1, 2], "when": "item > 1"},
    {"assert": {"that": ["fact | length == 3"]}, "register": "checked"},
    {"fail": {"msg": "no"}, "ignore_errors": True},
    {"block": [{"fail": {"msg": "inner"}}], "rescue": [{"debug": {"msg": "rescued"}}],
     "always": [{"meta": "noop"}]},
    {"debug": {"msg": "{{ nothing }}"}, "failed_when": False, "ignore_errors": True},
    {"group_by": {"key": "site_{{ site }}"}, "notify": "handled"},
]


class Keep(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_NAME = "keep"

    def v2_runner_on_ok(self, result):
        shown = {k: v for k, v in result._result.items() if k in ("msg", "fact", "changed")}
        print("ok", result._task.action, shown)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        print("failed", result._task.action, ignore_errors, str(
            result._result.get("msg"))[:40])

    def v2_playbook_on_stats(self, stats):
        print("stats", stats.summarize("one"))


def templates(loader, variables):
    templar = Templar(loader, variables=dict(variables, word="a b", items=[3, 1, 3]))
    for text in ("{{ word | b64encode }}", "{{ items | unique | sort }}", "{{ items | max }}",
                 "{{ word | regex_replace('a', 'q') }}", "{{ {'a': 1} | combine({'b': 2}) }}",
                 "{{ 'x' is match('x') }}", "{{ lookup('env', 'ANSIBLE_NOCOLOR') }}",
                 "{{ query('sequence', 'end=3') }}", "{{ word | hash('sha1') }}",
                 "{{ items | to_nice_yaml }}", "{{ '/a/b' | basename }}", "{{ 5 | human_readable }}",
                 "{{ lookup('items', items) }}", "{{ [1, [2]] | flatten }}", "{{ word | quote }}",
                 "{{ items | permutations | list | length }}", "{{ '1.2' is version('1.3', '<') }}",
                 "{{ omit is defined }}", "{{ 'a,b'.split(',') | zip([1, 2]) | list }}",
                 "{{ '{\"a\": 1}' | from_json }}", "{{ word | password_hash('sha512', 'saltsalt', rounds=1000) }}", "{{ none_such }}",
                 "{{ word | nofilter }}", "{{ lookup('nolookup') }}", "{{ 1 +"):
        try:
            print(text, "->", templar.template(text))
        except AnsibleUndefinedVariable:
            print(text, "undefined")
        except AnsibleError as error:
            print(text, type(error).__name__)


def main():
    pathlib.Path("hosts").write_text(HOSTS)
    pathlib.Path("filters").mkdir()
    pathlib.Path("filters/own.py").write_text(FILTER)
    option_helpers.create_base_parser("tiny")
    context.CLIARGS = ImmutableDict(connection="local", forks=1, become=None, check=False,
                                    become_method=None, become_user=None, diff=False,
                                    verbosity=0, start_at_task=None)
    loader = DataLoader()
    secret = [("default", VaultSecret(b"key"))]
    vault = VaultLib(secret)
    loader.set_vault_secrets(secret)
    print(vault.decrypt(vault.encrypt(b"hidden")), parse_kv("a=1 b='x y'"), check_type_bool(
        "yes"), combine_vars({"a": 1}, {"a": 2}), to_text(to_bytes("é")), type(loader.load(
            "a: b")["a"]) is AnsibleUnicode)
    inventory = InventoryManager(loader=loader, sources=["hosts"])
    variables = VariableManager(loader=loader, inventory=inventory)
    host = inventory.get_host("one")
    print(sorted(inventory.groups), variables.get_vars(host=host)["level"], [
        h.name for h in inventory.list_hosts("all:!db")])
    play = Play().load({"name": "tiny", "hosts": "web", "gather_facts": False,
                        "tasks": TASKS, "handlers": [{"name": "handled", "debug": {
                            "msg": "handler"}}]}, variable_manager=variables, loader=loader)
    manager = TaskQueueManager(inventory=inventory, variable_manager=variables,
                               loader=loader, passwords={}, stdout_callback=Keep(), forks=1)
    try:
        print(manager.run(play))
        manager.send_callback("v2_playbook_on_stats", manager._stats)
    finally:
        manager.cleanup()
    templates(loader, variables.get_vars(host=host))
    for bad in (lambda: Play().load({"hosts": "a", "nothing": 1}), lambda: loader.load(
            "a: [", file_name="x"), lambda: ModuleArgsParser({"a": 1, "b": 2}).parse()):
        try:
            bad()
        except (AnsibleParserError, AnsibleError) as error:
            print(type(error).__name__, str(error.message).splitlines()[0][:40])
    for kind in ("lookup", "filter", "connection", "become", "shell", "strategy", "cache"):
        found = getattr(ansible.plugins.loader, kind + "_loader")
        print(kind, len(list(found.all(path_only=True))) > 0, found.package)
    print(C.config.get_config_value("DEFAULT_FORKS") > 0)


try:
    main()
finally:
    shutil.rmtree("tmp", ignore_errors=True)
