package history_test

import (
	"fmt"
	"strings"

	"telegraf-anomaly/internal/history"
)

func ExampleCSV() {
	file := strings.NewReader(`time;cpu;memory
2024-01-01 00:00:00;12.5;48
2024-01-01 00:01:00;oops;48
2024-01-01 00:02:00;13.1;
`)
	c, err := history.NewCSV(file, "web01.csv", []string{"cpu", "memory"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for {
		row, err := c.Next()
		if err != nil {
			break // io.EOF
		}
		fmt.Println(row.Time.Format("15:04"), row.Values)
	}
	fmt.Println(c.Report().Problems)
	// Output:
	// 00:00 [12.5 48]
	// 00:02 [13.1 NaN]
	// [line 3: cpu: "oops" is not a number]
}
