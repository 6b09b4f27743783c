package shap

import "math"

// legendre returns the nodes and weights of the n-point Gauss-Legendre rule on [0,1], exact for polynomials of degree
// 2n−1. The nodes are roots of the Legendre polynomial P_n, found by Newton's method from the usual cosine guess (Press et
// al., Numerical Recipes, section 4.6).
func legendre(n int) (nodes, weights []float64) {
	nodes, weights = make([]float64, n), make([]float64, n)
	for i := range n {
		x := math.Cos(math.Pi * (float64(i) + 0.75) / (float64(n) + 0.5))
		for range 8 { // converges quadratically: 8 steps are far more than needed
			p, dp := legendrePolynomial(n, x)
			x -= p / dp
		}
		_, dp := legendrePolynomial(n, x)
		nodes[i] = (1 - x) / 2
		weights[i] = 1 / ((1 - float64(x*x)) * dp * dp)
	}
	return nodes, weights
}

// legendrePolynomial returns P_n(x) and its derivative.
func legendrePolynomial(n int, x float64) (p, dp float64) {
	before, p := 1.0, x
	for k := 2; k <= n; k++ {
		before, p = p, (float64(float64(2*k-1)*x*p)-float64(float64(k-1)*before))/float64(k)
	}
	return p, float64(n) * (float64(x*p) - before) / (float64(x*x) - 1)
}
