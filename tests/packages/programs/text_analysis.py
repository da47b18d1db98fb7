# needs: python3-nltk python3-unidecode python3-simpy3 python3-regex
# packages: nltk unidecode simpy
"""Text that is cut, tagged, parsed and counted without any corpus, written
in ASCII; a queue that is simulated."""
import copy
import io
import pickle

import nltk
import nltk.classify
import nltk.data
import simpy
import simpy.events
import unidecode
from nltk import CFG, FreqDist, RegexpParser, Tree
from nltk.chunk.regexp import ChunkRule, RegexpChunkParser
from nltk.classify import NaiveBayesClassifier, apply_features
from nltk.collocations import BigramAssocMeasures, BigramCollocationFinder
from nltk.lm import Laplace, Vocabulary
from nltk.lm.preprocessing import padded_everygram_pipeline
from nltk.metrics import ConfusionMatrix, edit_distance, jaccard_distance
from nltk.parse import ChartParser, EarleyChartParser, RecursiveDescentParser
from nltk.probability import ConditionalFreqDist, LidstoneProbDist
from nltk.sem import Expression
from nltk.stem import PorterStemmer, RegexpStemmer, SnowballStemmer, WordNetLemmatizer
from nltk.stem.api import StemmerI
from nltk.tag import BigramTagger, DefaultTagger, RegexpTagger, UnigramTagger, str2tuple
from nltk.tokenize import (RegexpTokenizer, TreebankWordTokenizer, TweetTokenizer,
                           wordpunct_tokenize)
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from nltk.util import everygrams, ngrams
from simpy import Container, Environment, Interrupt, PreemptiveResource, Store
from simpy.resources.resource import PriorityRequest
from simpy.rt import RealtimeEnvironment
from simpy.util import start_delayed

TEXT = "The quick brown foxes aren't jumping over 3 lazy dogs :-) #fun"
GRAMMAR = CFG.fromstring("""
S -> NP VP
NP -> Det N | NP PP
VP -> V NP | VP PP
PP -> P NP
Det -> 'the' | 'a'
N -> 'dog' | 'man' | 'park'
V -> 'saw'
P -> 'in'
""")


class Chop(StemmerI):
    def stem(self, token):
        return token[:3]


class Lab(simpy.Environment):
    """An environment that counts its steps."""

    steps = 0

    def step(self):
        self.steps += 1
        super().step()


def words():
    for tokenizer in (TreebankWordTokenizer(), TweetTokenizer(), RegexpTokenizer(r"\w+")):
        print(type(tokenizer).__name__, tokenizer.tokenize(TEXT))
    for stemmer in (PorterStemmer(), SnowballStemmer("english"), SnowballStemmer("german"),
                    RegexpStemmer("s$"), Chop()):
        print(type(stemmer).__name__, [stemmer.stem(w) for w in ("foxes", "jumping")])
    tokens = wordpunct_tokenize(TEXT.lower())
    backoff = RegexpTagger([(r"\d+", "CD"), (r".*ing", "VBG")], DefaultTagger("NN"))
    trained = UnigramTagger([[("the", "DT"), ("dog", "NN")]], backoff=backoff)
    print(BigramTagger([[("the", "DT")]], backoff=trained).tag(["the", "7", "singing"]),
          str2tuple("fly/NN"), FreqDist("abca").most_common(1))
    chunks = RegexpParser("NP: {<DT>?<NN>+}\n  }<X>{").parse([("the", "DT"), ("dog", "NN"),
                                                             ("ran", "VB")])
    print(chunks, RegexpChunkParser([ChunkRule("<NN>", "n")], chunk_label="C").parse(
        Tree("S", [("a", "NN")])))
    print(BigramCollocationFinder.from_words(tokens * 2).nbest(BigramAssocMeasures().pmi,
                                                             2))
    print(list(ngrams("abc", 2)), len(list(everygrams("abc"))), edit_distance("ab", "ba"),
          jaccard_distance({1}, {1, 2}), ConfusionMatrix("ab", "aa").evaluate().split()[:2],
          round(sentence_bleu([["a", "b"]], ["a", "b"], smoothing_function=
                              SmoothingFunction().method1), 3))
    for bad in (lambda: nltk.data.load("corpora/none.txt"), lambda: nltk.word_tokenize(
            "a"), lambda: WordNetLemmatizer().lemmatize("a"), lambda: SnowballStemmer("x"),
            lambda: nltk.corpus.brown.words()):
        try:
            bad()
        except (LookupError, ValueError) as error:
            print(type(error).__name__)


def grammar():
    sentence = "the man saw a dog in the park".split()
    for parser in (ChartParser(GRAMMAR), EarleyChartParser(GRAMMAR)):
        trees = sorted(map(str, parser.parse(sentence)))
        print(type(parser).__name__, len(trees))
    tree = Tree.fromstring(trees[0])
    print(tree.leaves()[:2], tree.height(), tree.productions()[0], pickle.loads(
        pickle.dumps(tree)) == copy.deepcopy(tree), RecursiveDescentParser.__name__)
    tree.pretty_print(stream=(out := io.StringIO()))
    tree.chomsky_normal_form()
    print(out.getvalue().splitlines()[0].strip(), tree.label())
    read = Expression.fromstring
    print(read(r"(\x.dog(x))(rex)").simplify(), read("all x.(man(x) -> mortal(x))").free(),
          nltk.ResolutionProver().prove(read("mortal(s)"), [read("man(s)"), read(
              "all x.(man(x) -> mortal(x))")]))
    train = apply_features(lambda w: {"last": w[-1]}, [("anna", "f"), ("bob", "m"),
                                                       ("eva", "f")])
    bayes = NaiveBayesClassifier.train(train)
    print(bayes.classify({"last": "a"}), nltk.classify.accuracy(bayes, train))
    model = Laplace(2)
    model.fit(*padded_everygram_pipeline(2, [["a", "b"], ["a", "c"]]))
    print(round(model.score("b", ["a"]), 4), model.perplexity([("a", "b")]) > 1, Vocabulary(
        ["a", "a"], 2).lookup(["a", "z"]), LidstoneProbDist(FreqDist("aab"), 0.1).max(),
        ConditionalFreqDist([("x", 1)])["x"][1])


def simulated():
    env = Lab()
    log = []

    def client(env, name, desk, priority):
        with desk.request(priority=priority) as request:
            try:
                result = yield request | env.timeout(50)
                log.append((name, env.now, request in result))
                yield env.timeout(5)
            except Interrupt as interrupt:
                log.append((name, "out", type(interrupt.cause).__name__))

    def tank(env, store):
        box = Container(env, 10, init=2)
        yield box.get(1) & store.put("thing")
        item = yield store.get()
        log.append((item, box.level))
        return "done"

    desk = PreemptiveResource(env, 1)
    for number, name in enumerate("abc"):
        env.process(client(env, name, desk, -number))
    start_delayed(env, client(env, "late", desk, 9), 3)
    done = env.process(tank(env, Store(env)))
    print(env.run(until=done), env.run(until=40), log, env.steps)
    print(issubclass(PriorityRequest, simpy.events.Event), env.peek(), RealtimeEnvironment(
        factor=0.001, strict=False).run(until=3))
    broken = Environment()
    broken.event().fail(KeyError("lost"))
    for bad in (broken.run, lambda: broken.timeout(-1), lambda: env.run(until=1)):
        try:
            bad()
        except (KeyError, ValueError) as error:
            print(type(error).__name__, str(error)[:30])


words()
grammar()
simulated()
print(unidecode.unidecode("Ærø 北京 Москва ½ €"), unidecode.unidecode_expect_nonascii("é"))
try:
    unidecode.unidecode("\ue000", errors="strict")
except unidecode.UnidecodeError as error:
    print(error.index)
