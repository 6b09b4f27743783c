package forest_test

import (
	"fmt"

	"gonum.org/v1/gonum/mat"

	"telegraf-anomaly/forest"
	"telegraf-anomaly/forest/foresttest"
)

func ExampleC() {
	fmt.Printf("%.4f %.4f %.4f\n", forest.C(1), forest.C(2), forest.C(256))
	// Output: 0.0000 1.0000 10.2448
}

func ExampleFit() {
	quiet := foresttest.Normal(1000, 3, 1) // 1000 rows of three correlated metrics
	f, err := forest.Fit(quiet, forest.Options{Seed: 42})
	if err != nil {
		fmt.Println(err)
		return
	}
	threshold, err := forest.Threshold(f.Scores(nil, quiet), 0.01)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, x := range [][]float64{{0, 0, 0}, {4, -4, 4}} {
		fmt.Println(x, forest.Anomalous(f.Score(x), threshold))
	}
	// Output:
	// [0 0 0] false
	// [4 -4 4] true
}

// A tree of one split: one row in four is cut off at once.
func oneSplit() *forest.Forest {
	f, err := forest.New(1, 4, [][]forest.Node{{
		{Column: 0, Threshold: 10, Left: 1, Right: 2, Samples: 4, Cover: 4},
		{Column: -1, Left: -1, Right: -1, Samples: 3, Cover: 3},
		{Column: -1, Left: -1, Right: -1, Samples: 1, Cover: 1},
	}})
	if err != nil {
		panic(err)
	}
	return f
}

func ExampleNew() {
	f := oneSplit()
	fmt.Println(f.Trees(), f.Columns(), f.SampleSize(), f.Nodes(0)[0].Threshold)
	// Output: 1 1 4 10
}

func ExampleForest_PathLength() {
	f := oneSplit()
	fmt.Printf("%.4f = 1 + c(3)\n", f.PathLength([]float64{5}))
	fmt.Printf("%.4f = 1 + c(1)\n", f.PathLength([]float64{50}))
	// Output:
	// 2.2074 = 1 + c(3)
	// 1.0000 = 1 + c(1)
}

func ExampleForest_Score() {
	f := oneSplit()
	fmt.Printf("%.4f %.4f\n", f.Score([]float64{5}), f.Score([]float64{50}))
	// Output: 0.4377 0.6877
}

func ExampleForest_PathLengths() {
	fmt.Printf("%.4f\n", oneSplit().PathLengths(nil, mat.NewDense(2, 1, []float64{5, 50})))
	// Output: [2.2074 1.0000]
}

func ExampleForest_Scores() {
	fmt.Printf("%.4f\n", oneSplit().Scores(nil, mat.NewDense(2, 1, []float64{5, 50})))
	// Output: [0.4377 0.6877]
}

func ExampleForest_NormPath() {
	fmt.Printf("%.4f\n", oneSplit().NormPath())
	// Output: 1.8517
}

func ExampleThreshold() {
	threshold, err := forest.Threshold([]float64{0.4, 0.5, 0.3, 0.7, 0.45}, 0.25)
	fmt.Println(threshold, err)
	// Output: 0.5 <nil>
}

func ExampleAnomalous() {
	fmt.Println(forest.Anomalous(0.7, 0.6), forest.Anomalous(0.6+1e-12, 0.6))
	// Output: true false
}

func ExampleForest_MarshalBinary() {
	section, _ := oneSplit().MarshalBinary()
	fmt.Printf("% x\n", section)
	f := new(forest.Forest)
	fmt.Println(f.UnmarshalBinary(section), f.Trees())
	fmt.Println(f.UnmarshalBinary(section[:9]))
	// Output:
	// 01 01 04 01 00 01 00 00 20 41 00 03 00 01
	// <nil> 1
	// tree 0: forest: section is truncated
}
