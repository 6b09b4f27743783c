"""One Python peer of bench/speed. It reads requests, a JSON object a line, and
answers each with one: {"microseconds": processor time per row, "bytes": size}."""

import importlib.metadata
import io
import json
import os
import sys
import time

import numpy as np

TREES, SAMPLE = 100, 256


class ScikitLearn:
    packages = ["scikit-learn", "shap"]

    def __init__(self):
        from sklearn.ensemble import IsolationForest
        import shap

        self.make, self.explainer_of = IsolationForest, shap.TreeExplainer

    def fit(self, x):
        self.model = self.make(n_estimators=TREES, max_samples=SAMPLE, random_state=1).fit(x)

    def prepare(self):
        self.explainer = self.explainer_of(self.model)

    def score(self, x):
        return self.model.score_samples(x)

    def explain(self, x):
        self.model.score_samples(x)
        return self.explainer.shap_values(x)

    def size(self):
        import joblib

        buffer = io.BytesIO()
        joblib.dump(self.model, buffer, compress=3)
        return buffer.tell()


class FastTreeSHAP(ScikitLearn):
    packages = ["scikit-learn", "fasttreeshap-fixed"]  # the original stopped at NumPy 1

    def __init__(self):
        from sklearn.ensemble import IsolationForest
        import fasttreeshap_fixed as fasttreeshap

        self.make = IsolationForest
        self.explainer_of = lambda m: fasttreeshap.TreeExplainer(m, algorithm="v2", n_jobs=1)

    def explain(self, x):
        self.model.score_samples(x)
        return self.explainer.shap_values(x, check_additivity=False)


class Isotree:
    packages = ["isotree"]

    def __init__(self):
        from isotree import IsolationForest

        self.make = IsolationForest

    def fit(self, x):
        self.model = self.make(
            ndim=1, ntrees=TREES, sample_size=SAMPLE, max_depth=8, missing_action="fail", nthreads=1, random_seed=1
        ).fit(x)

    def prepare(self):
        pass

    def score(self, x):
        return self.model.predict(x)

    def size(self):
        import pickle

        return len(pickle.dumps(self.model))


def resident():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def best(call, units, seconds):
    """Least processor time per unit over calls that take so long in all."""
    least, end = float("inf"), time.process_time() + seconds
    while True:
        start = time.process_time()
        call()
        stop = time.process_time()
        least = min(least, (stop - start) / units)
        if stop >= end:
            return 1e6 * least


class Server:
    def __init__(self, peer):
        self.peer, self.train, self.rows = peer, None, None

    def load(self, r):
        self.train = np.fromfile(r["train"]).reshape(-1, r["columns"])
        self.rows = np.fromfile(r["test"]).reshape(-1, r["columns"])
        self.peer.fit(self.train)
        self.peer.prepare()
        return {"versions": {p: importlib.metadata.version(p) for p in self.peer.packages}}

    def fit(self, r):
        return {"microseconds": best(lambda: self.peer.fit(self.train), 1, r["seconds"])}

    def measure(self, r):
        call, n = getattr(self.peer, r["what"]), r["rows"]
        rows = [self.rows[i : i + n] for i in range(0, len(self.rows) - n + 1, n)]
        turn = iter(range(1 << 60))
        return {"microseconds": best(lambda: call(rows[next(turn) % len(rows)]), n, r["seconds"]), "bytes": resident()}

    def size(self, r):
        return {"bytes": self.peer.size()}


def main():
    out, sys.stdout = sys.stdout, sys.stderr  # whatever a library prints, answers stay answers
    server = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if server is None:
                server = Server(globals()[sys.argv[1]]())
            answer = getattr(server, request["do"])(request)
        except Exception as e:
            answer = {"error": f"{type(e).__name__}: {e}"}
        print(json.dumps(answer), file=out, flush=True)


main()
