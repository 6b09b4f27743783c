"""The other side of `train parity`: scikit-learn's forest on the same table."""
import csv, gzip, json, sys

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score

with gzip.open(sys.argv[1], "rt") as f:
    rows = list(csv.reader(f))
header, table = rows[0], np.array(rows[1:])
names = [n.lower() for n in header]
y = table[:, names.index("label")].astype(float).astype(int)
x = np.array([table[:, i].astype(float) for i, n in enumerate(names) if n not in ("label", "")]).T
out = {"roc_auc": [], "average_precision": []}
for seed in range(int(sys.argv[2])):
    s = -IsolationForest(n_estimators=100, max_samples=min(256, len(x)), random_state=seed).fit(x).score_samples(x)
    out["roc_auc"].append(roc_auc_score(y, s))
    out["average_precision"].append(average_precision_score(y, s))
json.dump(out, sys.stdout)
