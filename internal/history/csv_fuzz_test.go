package history_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/history"
)

// Whatever a file holds: no panic, finite values or missing ones, and every row
// accounted for.
func FuzzCSV(f *testing.F) {
	for _, seed := range []string{
		"", "\n", "cpu", "cpu\n1\n", "\ufefftime;cpu\r\n2024-01-01 00:00:00;1\r\n", "time\tcpu\n1795438390617\t\n",
		"a,b,label,event,kind,cause\n1,,1,2,x,\"a;b\"\n1,\"2\n,\"\n", "cpu\nNaN\n1e999\n-0\n0x1p-2\n1_0\n",
		zip("time,cpu\n0,1\n"), zip("time,cpu\n0,1\n")[:30], "\x1f\x8b", "\xff\xfe", "time,cpu\n9223372036854775807,1\n1e300,1\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		c, err := history.NewCSV(bytes.NewReader(file), "fuzz.csv", nil)
		if err != nil {
			return
		}
		rows, err := all(c)
		report := c.Report()
		require.Len(t, rows, report.Rows)
		require.LessOrEqual(t, len(report.Problems), report.Bad)
		for _, row := range rows {
			require.Len(t, row.Values, len(c.Features()))
			for _, v := range row.Values {
				require.False(t, math.IsInf(v, 0))
			}
		}
		_, again := c.Next()
		require.Error(t, again)
		require.Equal(t, err == nil, errors.Is(again, io.EOF) && !errors.Is(again, io.ErrUnexpectedEOF))
	})
}

func FuzzTime(f *testing.F) {
	for _, seed := range []string{"0", "2024-01-01T00:00:00Z", "2024-01-01 00:00:00.5+02:00", "1e10", "-9223372036854775808", "2024-01-01"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := history.NewCSV(bytes.NewReader([]byte("v,time\n1,"+text+"\n")), "fuzz.csv", []string{"v"})
		if err != nil {
			return
		}
		if row, err := c.Next(); err == nil {
			require.Equal(t, "UTC", row.Time.Location().String())
		}
	})
}
