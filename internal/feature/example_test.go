package feature_test

import (
	"fmt"
	"time"

	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/lp"
)

// A host's lines become one vector per interval.
func ExampleJoiner() {
	s := feature.DefaultSchema()
	s.Interval = 10 * time.Second
	j, err := feature.NewJoiner(&s, time.Second, feature.DefaultLimits, func(v *feature.Vector, items []feature.Item[int]) {
		fmt.Printf("%s at %ds: %v = %v, from %d lines\n", v.Group.Key, v.Time/1e9, s.Names(), v.Values, len(items))
	})
	if err != nil {
		panic(err)
	}
	var p lp.Point
	for i, line := range []string{
		"mem,host=web01 used_percent=40 10000000000",
		"net,host=web01,interface=eth0 bytes_recv=1000i,bytes_sent=500i 10000000000",
		"cpu,cpu=cpu-total,host=web01 usage_idle=90 20000000000",
		"net,host=web01,interface=eth0 bytes_recv=6000i,bytes_sent=1500i 20000000000",
		"mem,host=web01 used_percent=41 20000000000",
	} {
		if err := lp.Decode(&p, []byte(line), time.Time{}); err != nil {
			panic(err)
		}
		j.Add(&p, i, time.Now())
	}
	j.Flush()
	// Output:
	// web01 at 10s: [cpu memory network] = [NaN 40 NaN], from 2 lines
	// web01 at 20s: [cpu memory network] = [10 41 600], from 3 lines
}

// What would the context be if the last value had been 3?
func ExampleVector_Suppose() {
	s := feature.Schema{Interval: time.Second, Window: 10 * time.Second, Features: []feature.Feature{{Name: "x", Measurement: "m", Fields: []string{"v"}}}}
	if err := s.Normalize(); err != nil {
		panic(err)
	}
	q, err := feature.NewSequence(&s, "web01")
	if err != nil {
		panic(err)
	}
	q.Add(1e9, []float64{1})
	q.Add(2e9, []float64{2})
	v := q.Add(3e9, []float64{9})
	supposed := make([]float64, len(v.Context))
	v.Suppose(supposed, 0, 3)
	fmt.Println("mean", v.Context[feature.Level], "would be", supposed[feature.Level])
	// Output: mean 4 would be 2
}
