// Package detect decides how strange a vector is and says why.
//
// What the numbers mean: with ψ the sub-sample size, E[h] the mean path length
// and c(n) the average unsuccessful-search depth, an isolation forest's score in
// bits is -E[h]/c(ψ). Every feature f adds τ_f >= 0 bits for what a forest cannot
// see (values beyond the training range, broken relations, a flat line):
//
//	b             = -E[h]/c(ψ) + Σ_f τ_f < 0
//	anomaly_score = 2^min(b, 0)
//	log2(anomaly_score) = min(0, shap_base + Σ_f shap_f)
//
// shap_f is the exact Shapley value of feature f in the forest's part, in bits,
// plus τ_f; positive pushes towards anomaly. Beyond b = -0.25 all τ_f of a vector
// are shrunk together so that b stays below 0: scores near 1 keep their order. All columns made from one feature
// are one player. is_anomaly = 1 if anomaly_score > threshold by more than 1e-9.
//
// A Model is fitted once and then only read; a Scorer applies it.
package detect
