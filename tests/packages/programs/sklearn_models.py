# needs: python3-sklearn python3-joblib python3-numpy
# packages: sklearn joblib numpy
"""A model service: pipelines of many modules, scorers by name, a cross
validation, own estimators, models kept and cloned, an experimental part."""
import io
import pickle
import warnings

import joblib
import numpy as np
import sklearn
import sklearn.cluster as cluster
import sklearn.datasets
from sklearn import metrics, naive_bayes, svm, tree
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import IterativeImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

warnings.simplefilter("ignore")


class Centre(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.mean_ = X.mean(axis=0)
        return self

    def transform(self, X):
        return X - self.mean_


class Majority(ClassifierMixin, BaseEstimator):
    def __init__(self, bias=0):
        self.bias = bias

    def fit(self, X, y):
        self.classes_, counts = np.unique(y, return_counts=True)
        self.best_ = self.classes_[counts.argmax()]
        return self

    def predict(self, X):
        return np.full(len(X), self.best_)


X, y = sklearn.datasets.load_iris(return_X_y=True)


def classify():
    for model in (LogisticRegression(max_iter=500), svm.SVC(), tree.
                  DecisionTreeClassifier(random_state=0), Majority(),
                  naive_bayes.GaussianNB(), KNeighborsClassifier(3),
                  RandomForestClassifier(5, random_state=0)):
        line = make_pipeline(Centre(), StandardScaler(), model)
        line.fit(X, y)
        print(type(model).__name__, round(line.score(X, y), 2))
    for name in ("accuracy", "f1_macro", "neg_log_loss"):
        got = cross_val_score(LogisticRegression(max_iter=500), X, y, cv=3,
                              scoring=name)
        print(name, got.mean().round(2))
    try:
        metrics.get_scorer("nothing")
    except ValueError as error:
        print(str(error)[:30])
    search = GridSearchCV(Pipeline([("p", PCA()), ("r", Ridge())]),
                          {"p__n_components": [1, 2]}, cv=3).fit(X, y)
    print(search.best_params_)


def keep():
    line = make_pipeline(StandardScaler(), svm.SVC(probability=False))
    out = io.BytesIO()
    joblib.dump(line.fit(X, y), out)
    out.seek(0)
    print(joblib.load(out).predict(X[:2]), clone(line), sep="\n")
    print(pickle.loads(pickle.dumps(Majority(2))).get_params())
    try:
        svm.SVC().predict(X)
    except NotFittedError as error:
        print(str(error)[:40])


classify()
keep()
print(cluster.KMeans(2, n_init=1, random_state=0).fit(X).labels_[[0, -1]]
      .tolist(), metrics.confusion_matrix([0, 1, 1], [0, 1, 0]).tolist())
words = TfidfVectorizer().fit(["red fish", "blue fish"])
print(words.get_feature_names_out(), words.transform(["fish"]).shape)
columns = ColumnTransformer([("n", SimpleImputer(), [0]),
                             ("c", OneHotEncoder(), [1])])
print(columns.fit_transform(np.array([[1, 2], [np.nan, 3]])).tolist())
print(IterativeImputer(random_state=0).fit_transform(
    [[1, 2], [2, np.nan], [3, 6]]).round(1).tolist())
with sklearn.config_context(assume_finite=True):
    print(sklearn.get_config()["assume_finite"])
print(joblib.Parallel(n_jobs=2, backend="threading")(
    joblib.delayed(abs)(-i) for i in range(3)), joblib.hash([1, 2]))
