// Package forest grows, scores, encodes and decodes Isolation Forests (Liu, Ting and Zhou, "Isolation-based Anomaly
// Detection", TKDD 2012). It knows no files and no streams: rows of float64 in, path lengths and scores out.
//
// What the numbers mean (the paragraph of the design that every room of the project quotes):
//
// With ψ the sub-sample size, E[h] the mean path length and c(n) the average unsuccessful-search depth
// (c(1)=0, c(2)=1, else 2(ln(n−1)+γ) − 2(n−1)/n): the paper's score is s = 2^(−E[h]/c(ψ)), in (0,1], higher = stranger. In
// bits, b = −E[h]/c(ψ) + Σ_f τ_f, where τ_f ≥ 0 grows with the distance of feature f outside its training range (an
// isolation forest alone saturates: measured, cpu=1e3 and cpu=1e9 score the same; raw forests found 11 % of 10× spikes,
// with the term 100 %). anomaly_score = 2^min(b,0). shap_<feature> are exact Shapley values in bits, positive = pushes
// towards anomaly, with shap_base such that log2(anomaly_score) = min(0, shap_base + Σ shap_<feature>): the stored fields
// prove themselves. (Python's shap explains E[h], in edges, with the opposite sign; shap offers that too under a name of
// its own, for parity: φ_bits = −φ_shap/c(ψ).) With the out-of-range term off, score, threshold and φ equal
// scikit-learn's and shap's. is_anomaly is an integer 0/1: score > threshold; threshold = linear-interpolated
// (1−contamination) quantile of the training scores, or from an alert budget ("at most N false alarms per host and week")
// on held-out rows. A score that is equal within 1e-9 to the threshold is not an anomaly; a constant training set makes no
// model.
//
// This package holds E[h], c(n), s and the quantile; τ belongs to the caller.
//
// # Relation to scikit-learn
//
// A forest imported from sklearn.ensemble.IsolationForest (see [New]) gives sklearn's path lengths and scores: values are
// rounded to float32 before they are compared, a row goes left when x <= threshold, depth counts edges, and a leaf with n
// training rows adds c(n). Growing differs on purpose in two places:
//
//   - sklearn calls a column constant when max <= min + 1e-7, an absolute rule that never splits a metric whose values are
//     all below 1e-7. Here a column is constant in a node only when all its float32 values are equal, which is the same
//     rule relative to the column's scale.
//   - When every column of the training set is constant there is nothing to isolate, and [Fit] returns [ErrConstant] where
//     sklearn returns a forest of bare roots whose verdicts depend on the last bit of a power.
package forest
