package drift

import (
	"compress/gzip"
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestRealServers gives the figures of docs/DRIFT.md: over machines of the Server Machine Dataset, as a folder
// DATA/smd3 of MACHINE_train.csv.gz and MACHINE_test.csv.gz with one row a minute, it counts the columns that are ever
// called. Nobody knows what is drift there; a week of reference must at least call fewer than three days do.
func TestRealServers(t *testing.T) {
	data := os.Getenv("DATA")
	if data == "" {
		t.Skip("set DATA to the folder that holds smd3")
	}
	files, err := filepath.Glob(filepath.Join(data, "smd3", "*_train.csv.gz"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	called := map[int]int{}
	for _, train := range files {
		names, rows := readServer(t, train)
		_, rest := readServer(t, strings.Replace(train, "_train", "_test", 1))
		for _, days := range []int{7, 3} {
			features := everCalled(t, names, append(rows, rest...), days)
			t.Logf("%s, reference of %d days: %v", filepath.Base(train), days, features)
			called[days] += len(features)
		}
	}
	t.Logf("columns called: %v", called)
	require.Less(t, called[7], called[3])
}

// everCalled takes the first days as reference and watches the others.
func everCalled(t *testing.T, names []string, rows [][]float64, days int) (features []string) {
	n := days * 24 * 60
	p := Profile{From: epoch, To: epoch.AddDate(0, 0, days)}
	for c, name := range names {
		column := make([]float64, n)
		for i := range column {
			column[i] = rows[i][c]
		}
		p.References = append(p.References, mustReference(t, name, column))
	}
	m, called := newMonitor(t, p), map[string]bool{}
	for i, row := range rows[n:] {
		require.NoError(t, m.Add(p.To.Add(time.Duration(i)*time.Minute), row))
		if i%120 != 0 {
			continue
		}
		for _, f := range Drifted(m.Check()) {
			if !called[f] {
				called[f] = true
				features = append(features, f)
			}
		}
	}
	return features
}

// readServer reads the columns cpu, mem, net, mem_e and net_out, which follow the time.
func readServer(t *testing.T, path string) (names []string, rows [][]float64) {
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	require.NoError(t, err)
	records, err := csv.NewReader(unzipped).ReadAll()
	require.NoError(t, err)
	names = records[0][1:6]
	for _, record := range records[1:] {
		row := make([]float64, len(names))
		for i := range row {
			row[i], err = strconv.ParseFloat(record[i+1], 64)
			require.NoError(t, err)
		}
		rows = append(rows, row)
	}
	return names, rows
}
