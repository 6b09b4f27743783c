package shap_test

import (
	"fmt"
	"math"

	"telegraf-anomaly/forest"
	"telegraf-anomaly/shap"
)

// cpuAndMemory is a tree of two splits: half the rows have cpu <= 50, and of those above, one in four memory > 90.
func cpuAndMemory() *forest.Forest {
	leaf := func(n int) forest.Node { return forest.Node{Column: -1, Samples: n, Cover: n} }
	f, err := forest.New(2, 8, [][]forest.Node{{
		{Column: 0, Threshold: 50, Left: 1, Right: 2, Samples: 8, Cover: 8},
		leaf(4),
		{Column: 1, Threshold: 90, Left: 3, Right: 4, Samples: 4, Cover: 4},
		leaf(3), leaf(1),
	}})
	if err != nil {
		panic(err)
	}
	return f
}

func ExampleNew() {
	e, err := shap.New(cpuAndMemory(), []int{0, 0}) // both columns belong to one feature
	fmt.Println(e.Players(), err)
	_, err = shap.New(cpuAndMemory(), []int{0})
	fmt.Println(err)
	// Output:
	// 1 <nil>
	// shap: 1 player numbers for 2 columns
}

func ExampleExplainer_BaseBits() {
	f := cpuAndMemory()
	e, _ := shap.New(f, nil)
	x := []float64{80, 95}
	bits := e.BaseBits()
	for _, phi := range e.Bits(nil, x) {
		bits += phi
	}
	fmt.Printf("2^%.4f = %.4f = %.4f\n", bits, math.Exp2(bits), f.Score(x))
	// Output: 2^-0.6067 = 0.6567 = 0.6567
}

func ExampleExplainer_PathLength() {
	f := cpuAndMemory()
	e, _ := shap.New(f, nil)
	x := []float64{80, 95}
	phi := e.PathLength(nil, x)
	fmt.Printf("base %.4f, cpu %+.4f, memory %+.4f\n", e.Base(), phi[0], phi[1])
	fmt.Printf("sum %.4f, path length %.4f\n", e.Base()+phi[0]+phi[1], f.PathLength(x))
	// Output:
	// base 2.8786, cpu -0.1994, memory -0.6792
	// sum 2.0000, path length 2.0000
}

func ExampleExplainer_Bits() {
	f := cpuAndMemory()
	e, _ := shap.New(f, []int{0, 1}) // cpu is player 0, memory player 1
	x := []float64{80, 95}
	phi := e.Bits(nil, x)
	fmt.Printf("base %.4f, cpu %+.4f, memory %+.4f\n", e.BaseBits(), phi[0], phi[1])
	fmt.Printf("score %.4f\n", f.Score(x))
	// Output:
	// base -0.8733, cpu +0.0605, memory +0.2060
	// score 0.6567
}

func ExampleExplainer_Base() {
	e, _ := shap.New(cpuAndMemory(), nil)
	fmt.Printf("%.4f edges, %.4f bits\n", e.Base(), e.BaseBits())
	// Output: 2.8786 edges, -0.8733 bits
}
