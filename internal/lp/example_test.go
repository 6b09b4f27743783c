package lp_test

import (
	"fmt"
	"os"
	"time"

	"telegraf-anomaly/internal/lp"
)

func Example() {
	var f lp.Framer
	_, _ = f.Write([]byte("cpu,host=web01 usage_idle=91.5 1700000000000000000\nmem,host=web01 used_pe"))
	var p lp.Point
	for {
		line, whole, ok := f.Next(false)
		if !ok {
			break
		}
		if whole && lp.Decode(&p, line, time.Time{}) == nil {
			_, _ = os.Stdout.Write(lp.Splice(nil, line, lp.AppendFloat(nil, "anomaly_score", 0.625)))
		}
	}
	fmt.Println("waiting for the rest of a line:", !f.Empty())
	// Output:
	// cpu,host=web01 usage_idle=91.5,anomaly_score=0.625 1700000000000000000
	// waiting for the rest of a line: true
}

func ExampleAppendRecord() {
	_, _ = os.Stdout.Write(lp.AppendRecord(nil, &lp.Record{
		Name:   "ai_predictions",
		Tags:   [][2]string{{"host", "web 01"}},
		Fields: []lp.Value{lp.Float("anomaly_score", 0.5), lp.Int("is_anomaly", 0), lp.String("status", "ok")},
		Time:   1700000000000000000,
	}))
	// Output: ai_predictions,host=web\ 01 anomaly_score=0.5,is_anomaly=0i,status="ok" 1700000000000000000
}
