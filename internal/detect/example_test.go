package detect_test

import (
	"fmt"
	"math"
	"time"

	"gonum.org/v1/gonum/mat"

	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/feature"
)

// A machine whose traffic follows its load; then traffic comes without load.
func Example() {
	s := feature.Schema{Interval: time.Minute, Window: 15 * time.Minute, Features: []feature.Feature{
		{Name: "cpu", Measurement: "m", Fields: []string{"cpu"}}, {Name: "network", Measurement: "m", Fields: []string{"net"}},
	}}
	if err := s.Normalize(); err != nil {
		panic(err)
	}
	q, err := feature.NewSequence(&s, "host")
	if err != nil {
		panic(err)
	}
	var rows []float64
	for i := range 1440 {
		load := 50 + 30*math.Sin(float64(i)/200) + 3*math.Sin(float64(i)*2.3)
		rows = append(rows, q.Add(int64(i)*60e9, []float64{load, 1e6 * load}).Context...)
	}
	m, err := detect.Fit(mat.NewDense(1440, 2*feature.ContextWidth, rows), s.Names(), true, detect.DefaultOptions())
	if err != nil {
		panic(err)
	}
	scorer, v := detect.NewScorer(m), detect.Verdict{}
	if err := scorer.Explain(&v, q.Add(1440*60e9, []float64{50, 400e6}).Context); err != nil {
		panic(err)
	}
	fmt.Println("anomaly:", v.Anomaly)
	fmt.Println("network pushes more than cpu:", v.Shap[1] > v.Shap[0])
	fmt.Println("adds up:", math.Abs(math.Log2(v.Score)-v.Base-v.Shap[0]-v.Shap[1]) < 1e-9)
	// Output:
	// anomaly: true
	// network pushes more than cpu: true
	// adds up: true
}

func ExampleToScore() {
	for _, bits := range []float64{-1, -0.25, 0.5, 3} {
		score := detect.ToScore(bits)
		fmt.Printf("%5.2f bits score %.3f, back to %.2f\n", bits, score, detect.ToBits(score))
	}
	// Output:
	// -1.00 bits score 0.500, back to -1.00
	// -0.25 bits score 0.841, back to -0.25
	//  0.50 bits score 0.958, back to 0.50
	//  3.00 bits score 0.988, back to 3.00
}

func ExampleBand_Distance() {
	b := detect.Band{Low: 10, High: 20, Unit: 5}
	fmt.Println(b.Distance(15), b.Distance(30), b.Distance(0))
	// Output: 0 2 2
}
