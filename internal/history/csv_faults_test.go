package history_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"telegraf-anomaly/internal/history"
)

func reader(text string) io.Reader { return strings.NewReader(text) }

// tally is a small table of known content.
func tally(rows int) string {
	var b strings.Builder
	b.WriteString("time,cpu,memory\n")
	for i := range rows {
		fmt.Fprintf(&b, "%d,%d,%d\n", 60*i, i*i%101, 50+i%3)
	}
	return b.String()
}

// However short a compressed file is cut, what comes before the cut is right,
// and the end is never taken for a good one.
func TestACutAtAnyByteIsNoticed(t *testing.T) {
	whole := zip(tally(200))
	want := values(t, open(t, whole))
	for cut := 1; cut < len(whole); cut++ {
		c, err := history.NewCSV(reader(whole[:cut]), "cut.gz", []string{"cpu", "memory"})
		if err != nil {
			continue // not even a header: refused at once
		}
		rows, err := all(c)
		require.Error(t, err, "cut at %d of %d", cut, len(whole))
		for i, row := range rows {
			require.Equal(t, want[i], row.Values)
		}
	}
}

// A flipped bit in a compressed file is found by its checksum at the latest.
func TestAFlippedBitIsNoticed(t *testing.T) {
	whole := []byte(zip(tally(100)))
	want := values(t, open(t, string(whole)))
	for i := range whole {
		damaged := slices.Clone(whole)
		damaged[i] ^= 1 << (i % 8)
		c, err := history.NewCSV(bytes.NewReader(damaged), "damaged.gz", []string{"cpu", "memory"})
		if err != nil {
			continue
		}
		if rows, err := all(c); err == nil {
			require.Len(t, rows, len(want), "bit of byte %d: only the gzip header may differ", i)
		}
	}
}

// A reader that fails at its n-th call, for every n.
func TestAReaderThatFailsAtAnyCall(t *testing.T) {
	text := tally(3)
	for n := range len(text) {
		failing := io.MultiReader(
			iotest.OneByteReader(strings.NewReader(text[:n])), iotest.ErrReader(errors.New("link down")))
		c, err := history.NewCSV(failing, "slow", []string{"cpu"})
		if err == nil {
			_, err = all(c)
		}
		require.ErrorContains(t, err, "link down", "after %d bytes", n)
	}
}

func TestTheEndStaysTheEnd(t *testing.T) {
	for name, text := range map[string]string{"good": "cpu\n1\n", "no good row": "cpu\nx\n"} {
		t.Run(name, func(t *testing.T) {
			c := open(t, text, "cpu")
			_, err := all(c)
			_, first := c.Next()
			_, second := c.Next()
			require.Error(t, first)
			require.Equal(t, first, second)
			require.Equal(t, err == nil, errors.Is(first, io.EOF))
		})
	}
}

// defect is a way to spoil a row.
type defect struct {
	spoil func(fields []string) []string
	bad   bool
}

var defects = []defect{
	{func(f []string) []string { return f }, false},
	{func(f []string) []string { f[2] = ""; return f }, false},
	{func(f []string) []string { return f[:len(f)-1] }, true},
	{func(f []string) []string { return append(f, "1") }, true},
	{func(f []string) []string { f[0] = "soon"; return f }, true},
	{func(f []string) []string { f[1] = "NaN"; return f }, true},
	{func(f []string) []string { f[1] = "+Inf"; return f }, true},
	{func(f []string) []string { f[2] = "--"; return f }, true},
	{func(f []string) []string { f[3] = "perhaps"; return f }, true},
}

// Whatever is wrong with which rows: every good row is delivered, every bad one
// counted, and the first five are named by their lines.
func TestEveryRowIsDeliveredOrCounted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		choice := rapid.SliceOfN(rapid.IntRange(0, len(defects)-1), 1, 40).Draw(t, "defects")
		text := "time,cpu,memory,label\n0,0,0,0\n"
		good, bad := []float64{0}, []int(nil)
		for i, d := range choice {
			fields := defects[d].spoil([]string{strconv.Itoa(60 + 60*i), strconv.Itoa(i), "50", "0"})
			text += strings.Join(fields, ",") + "\n"
			if defects[d].bad {
				bad = append(bad, i+3)
			} else {
				good = append(good, float64(i))
			}
		}
		c := open(t, text, "cpu", "memory")
		var delivered []float64
		for _, row := range values(t, c) {
			delivered = append(delivered, row[0])
		}
		require.Equal(t, good, delivered)
		report := c.Report()
		require.Equal(t, len(bad), report.Bad)
		require.Len(t, report.Problems, min(5, len(bad)))
		for i, p := range report.Problems {
			require.Equal(t, bad[i], p.Line)
		}
	})
}

// On good tables, quoted or not, the reader agrees with encoding/csv.
func TestTheReaderAgreesWithTheStandardLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		quoted := rapid.Bool().Draw(t, "quoted")
		table := rapid.SliceOfN(rapid.SliceOfN(rapid.Float64Range(-1e12, 1e12), 3, 3), 1, 30).Draw(t, "table")
		text := "a,b,c\n"
		for _, row := range table {
			for j, v := range row {
				cell := strconv.FormatFloat(v, 'g', -1, 64)
				if quoted {
					cell = `"` + cell + `"`
				}
				text += cell + ",\n"[j/2:j/2+1]
			}
		}
		records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		require.NoError(t, err)
		got := values(t, open(t, text))
		require.Len(t, got, len(records)-1)
		for i, record := range records[1:] {
			for j, cell := range record {
				want, err := strconv.ParseFloat(cell, 64)
				require.NoError(t, err)
				require.Equal(t, want, got[i][j])
			}
		}
	})
}

// The values of a row live until the next one; the causes of incidents stay.
func TestLifetimes(t *testing.T) {
	c := open(t, "v,label,kind,cause\n1,1,spike,cpu;memory\n2,1,drop,network\n3,0,,\n")
	first, err := c.Next()
	require.NoError(t, err)
	second, err := c.Next()
	require.NoError(t, err)
	require.Equal(t, second.Values, first.Values, "overwritten")
	third, err := c.Next()
	require.NoError(t, err)
	require.Equal(t, []string{"cpu", "memory"}, first.Cause)
	require.Equal(t, []string{"network"}, second.Cause)
	require.Equal(t, []string{"spike", "drop", ""}, []string{first.Kind, second.Kind, third.Kind})
	require.Nil(t, third.Cause)
}

func TestLinesOfAnyLengthUpToAMiB(t *testing.T) {
	for _, length := range []int{1, 4095, 4096, 65536, 1<<20 - 3, 1<<20 - 2} {
		cell := strings.Repeat("0", length-1) + "7"
		c := open(t, "cpu,x\n1,\n"+cell+",\n2,\n", "cpu")
		require.Equal(t, [][]float64{{1}, {7}, {2}}, values(t, c), "length %d", length)
	}
	long := open(t, "cpu,x\n1,\n"+strings.Repeat("0", 1<<20)+",\n2,\n", "cpu")
	require.Equal(t, [][]float64{{1}, {2}}, values(t, long))
	require.Equal(t, []history.Problem{{Line: 3, Reason: "line over 1 MiB"}}, long.Report().Problems)
	last := open(t, "cpu,x\n1,\n"+strings.Repeat("0", 3<<20), "cpu")
	require.Equal(t, [][]float64{{1}}, values(t, last))
	require.Equal(t, 1, last.Report().Bad)
}
