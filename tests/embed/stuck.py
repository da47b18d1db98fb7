"""A life that ends while daemon threads are inside loads and wait for them."""
import threading
import files

files.write({"started.py": "import threading\nevents = "
                           "[threading.Event() for _ in range(2)]\n",
             "stuck0.py": "from started import events\nevents[0].set()\n"
                          "while True:\n    pass\n",
             "stuck1.py": "import time\nfrom started import events\n"
                          "events[1].set()\nwhile True:\n"
                          "    time.monotonic_ns()\n    time.sleep(0)\n",
             "user.py": "import stuck0, stuck1, json\n"
                        "from stuck0 import value\n"
                        "def touch(i):\n"
                        "    return [lambda: stuck0.x, lambda: stuck1.x,\n"
                        "            lambda: value, lambda: json][i % 3]()\n"})


def main():
    import started
    import user
    threads = [threading.Thread(target=user.touch, args=(i,), daemon=True)
               for i in range(6)]
    for thread in threads:
        thread.start()
    for event in started.events:
        assert event.wait(30)


main()
