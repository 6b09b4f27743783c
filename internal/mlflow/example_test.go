package mlflow_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"telegraf-anomaly/internal/mlflow"
)

// A trainer spools its run first: from then on nothing is lost, whatever happens to
// the server or to the trainer.
func ExampleSpool() {
	dir, _ := os.MkdirTemp("", "spool")
	defer os.RemoveAll(dir)
	spool := mlflow.Spool(dir)

	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	id, err := spool.Add(mlflow.Run{
		ID: "20260301T120000Z-fit", Name: "fit", Start: start, End: start.Add(time.Minute),
		Params:    map[string]string{"trees": "100"},
		Metrics:   []mlflow.Metric{{Key: "average_precision", Value: 0.55}},
		Artifacts: []mlflow.Artifact{{Path: "report.html", Data: []byte("<html>")}},
	})
	fmt.Println(id, err)

	client, err := mlflow.New(mlflow.Config{TrackingURI: "http://127.0.0.1:1"}) // where no server is
	if err != nil {
		fmt.Println(err)
		return
	}
	_, _, err = spool.Upload(context.Background(), client, id)
	fmt.Println("uploaded:", err == nil)
	fmt.Println(spool.Pending())
	// Output:
	// 20260301T120000Z-fit <nil>
	// uploaded: false
	// [20260301T120000Z-fit] <nil>
}

func ExampleFromEnv() {
	cfg, err := mlflow.FromEnv(func(string) string { return "" }) // normally os.Getenv
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = mlflow.New(cfg)
	fmt.Println(errors.Is(err, mlflow.ErrNotConfigured))
	// Output: true
}
