// Package shap computes exact Shapley values of an Isolation Forest: how much each feature of a row shortens or lengthens
// its mean path, and so how many bits of anomaly score it brings.
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
// # The game
//
// The values are path-dependent TreeSHAP's (Lundberg et al., "From local explanations to global understanding with
// explainable AI for trees", Nature Machine Intelligence 2, 2020), with one extension: several columns can belong to one
// player. For a set S of players, v(S) is the mean over trees of the expected path length when the walk follows the row at
// splits on columns of players in S and goes both ways elsewhere, weighted by training cover. The value of player j is the
// mean of v(S ∪ {j}) − v(S) over all orders in which the players can join; v of nobody is the base.
package shap
