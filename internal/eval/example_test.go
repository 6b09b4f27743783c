package eval_test

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"telegraf-anomaly/internal/eval"
)

func ExampleCurve() {
	score := []float64{.9, .7, .7, .2}
	label := []bool{true, true, false, false}
	for _, p := range eval.Curve(score, label) {
		fmt.Printf("flag from %.1f on: %d right, %d wrong\n", p.Score, p.TP, p.FP)
	}
	// Output:
	// flag from 0.9 on: 1 right, 0 wrong
	// flag from 0.7 on: 2 right, 1 wrong
	// flag from 0.2 on: 2 right, 2 wrong
}

func ExampleROCAUC() {
	// Of the four pairs of a positive and a negative row, three are in order.
	fmt.Println(eval.ROCAUC([]float64{.1, .4, .35, .8}, []bool{false, false, true, true}))
	// Output: 0.75
}

func ExampleConfuse() {
	flag := []bool{true, true, false, false, false}
	label := []bool{true, false, true, false, false}
	c := eval.Confuse(flag, label)
	fmt.Printf("%+v precision %.1f recall %.1f F1 %.1f\n", c, c.Precision(), c.Recall(), c.F1())
	// Output: {TP:1 FP:1 FN:1 TN:2} precision 0.5 recall 0.5 F1 0.5
}

func ExampleFlags() {
	fmt.Println(eval.Flags([]float64{.4, .6, .8}, .6))
	// Output: [false false true]
}

func ExampleEvents() {
	label := []bool{false, true, true, true, false, true}
	id := []int{0, 1, 1, 2, 0, 3}
	for _, e := range eval.Events(label, id, nil, nil) {
		fmt.Println(e.Start, e.End)
	}
	// Output:
	// 1 3
	// 3 4
	// 5 6
}

func ExampleEventRecall() {
	flag := []bool{false, false, true, false, false, false}
	events := []eval.Event{{Start: 1, End: 3}, {Start: 4, End: 6}}
	fmt.Println(eval.EventRecall(flag, events))
	// Output: 0.5
}

func ExampleRecallByKind() {
	flag := []bool{true, false, false, false}
	recall := eval.RecallByKind(flag, []eval.Event{{Start: 0, End: 1, Kind: "spike"}, {Start: 2, End: 4, Kind: "leak"}})
	for _, kind := range slices.Sorted(maps.Keys(recall)) {
		fmt.Println(kind, recall[kind])
	}
	// Output:
	// leak 0
	// spike 1
}

func ExampleDetectionDelay() {
	flag := []bool{false, false, true, true, false, true}
	events := []eval.Event{{Start: 0, End: 4}, {Start: 5, End: 6}}
	fmt.Println(eval.DetectionDelay(flag, events, 5*time.Minute), "minutes")
	// Output: 5 minutes
}

func ExampleMergeGap() {
	fmt.Println(eval.MergeGap(time.Minute), eval.MergeGap(5*time.Minute), eval.MergeGap(10*time.Second))
	// Output: 5 2 30
}

func ExampleFalseAlarms() {
	flag := []bool{true, false, true, false, false, false, true}
	fmt.Println(eval.FalseAlarms(flag, nil, 1), eval.FalseAlarms(flag, nil, 3))
	// Output: 2 1
}

func ExampleTopHit() {
	attribution := []float64{.2, 1.4, .7, 0} // cpu, memory, network, disk
	cause := []bool{false, false, true, false}
	fmt.Println(eval.TopHit(1, attribution, cause), eval.TopHit(3, attribution, cause))
	// Output: 0 1
}

func ExampleNameCauses() {
	features := []string{"cpu", "memory", "network"}
	events := []eval.Event{{Start: 0, End: 2, Cause: []string{"memory"}}}
	explain := func(row int) []float64 { return []float64{.1, 2, float64(row)} }
	named, random := eval.NameCauses(events, features, explain), eval.NameAtRandom(events, features)
	fmt.Printf("named first %.2f, at random %.2f\n", named.Top1, random.Top1)
	// Output: named first 1.00, at random 0.33
}

func ExampleSummarize() {
	s := eval.Summarize([]float64{.52, .55, .58})
	fmt.Printf("%.2f ± %.2f over %d seeds\n", s.Mean, s.SD, s.N)
	// Output: 0.55 ± 0.03 over 3 seeds
}

func ExampleOverSeeds() {
	recall := [][]float64{ // a row per seed, a column per machine
		{.50, .90},
		{.54, .90},
	}
	s := eval.OverSeeds(recall)
	fmt.Printf("%.2f ± %.3f\n", s.Mean, s.SD)
	// Output: 0.71 ± 0.014
}
