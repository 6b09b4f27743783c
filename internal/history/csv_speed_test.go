package history_test

import (
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/history"
)

const (
	manyHeader = "time,cpu,memory,network,label,event,kind,cause\n"
	manyRow    = "2024-01-01T00:00:00Z,33.7501,54.2987,1.51456e+07,1,3,mem_leak,memory;cpu\n"
)

// repeat is a file of many equal lines that takes no room.
type repeat struct {
	line  string
	times int
	rest  string
}

func (r *repeat) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if r.rest == "" {
			if r.times == 0 {
				break
			}
			r.times--
			r.rest = r.line
		}
		k := copy(p[n:], r.rest)
		r.rest = r.rest[k:]
		n += k
	}
	if n == 0 {
		err = io.EOF
	}
	return n, err
}

func many(t testing.TB, rows int) *history.CSV {
	c, err := history.NewCSV(io.MultiReader(strings.NewReader(manyHeader), &repeat{line: manyRow, times: rows}), "many.csv", nil)
	require.NoError(t, err)
	return c
}

func TestARowTakesNoMemory(t *testing.T) {
	c := many(t, 10_000)
	_, err := c.Next()
	require.NoError(t, err)
	require.Zero(t, testing.AllocsPerRun(5000, func() {
		if _, err := c.Next(); err != nil {
			panic(err)
		}
	}))
}

// Ten times the rows, the same memory.
func TestMemoryDoesNotGrowWithTheFile(t *testing.T) {
	require.InEpsilon(t, allocated(t, 20_000), allocated(t, 200_000), .05)
}

func allocated(t *testing.T, rows int) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	c := many(t, rows)
	for {
		if _, err := c.Next(); err != nil {
			require.ErrorIs(t, err, io.EOF)
			break
		}
	}
	runtime.ReadMemStats(&after)
	require.Equal(t, rows, c.Report().Rows)
	return after.TotalAlloc - before.TotalAlloc
}

func BenchmarkCSV(b *testing.B) {
	c := many(b, b.N+1)
	b.SetBytes(int64(len(manyRow)))
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if _, err := c.Next(); err != nil {
			b.Fatal(err)
		}
	}
}
