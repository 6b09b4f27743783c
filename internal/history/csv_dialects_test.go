package history_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/history"
)

// Files as other programs write them.
func TestFilesOfOtherPrograms(t *testing.T) {
	at := time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)
	cases := map[string]struct {
		text     string
		features []string
		first    history.Row
		report   history.Report
	}{
		"pandas to_csv with a DatetimeIndex": {
			text:     "time,cpu,memory\n2024-03-01 12:00:00+00:00,12.5,\n2024-03-01 12:01:00+00:00,13.0,48.2\n",
			features: []string{"cpu", "memory"},
			first:    history.Row{Time: at, Values: []float64{12.5}},
			report:   history.Report{Rows: 2, Missing: 1},
		},
		"pandas to_csv with a RangeIndex and labels": {
			text:     ",timestamp,cpu,label\n0,2024-03-01 12:00:00,12.5,False\n1,2024-03-01 12:01:00,99.0,True\n",
			features: []string{"cpu"},
			first:    history.Row{Time: at, Values: []float64{12.5}},
			report:   history.Report{Rows: 2},
		},
		"Excel with a list separator, UTF-8": {
			text:     "\ufeffTime;cpu;memory\r\n2024-03-01 12:00:00;12.5;48\r\n2024-03-01 12:01:00;13;48\r\n",
			features: []string{"cpu", "memory"},
			first:    history.Row{Time: at, Values: []float64{12.5, 48}},
			report:   history.Report{Rows: 2},
		},
		"Excel in a land of decimal commas": {
			text:     "\ufeffTime;cpu;memory\r\n2024-03-01 12:00:00;12;48\r\n2024-03-01 12:01:00;12,5;48\r\n2024-03-01 12:02:00;12,7;48\r\n",
			features: []string{"cpu", "memory"},
			first:    history.Row{Time: at, Values: []float64{12, 48}},
			report: history.Report{Rows: 1, Bad: 2, Problems: []history.Problem{
				{Line: 3, Reason: `cpu: "12,5" is not a number: write decimals with a point`},
				{Line: 4, Reason: `cpu: "12,7" is not a number: write decimals with a point`},
			}},
		},
		"Grafana's panel download": {
			text:     `"Time","cpu web01","mem web01"` + "\n" + `1709294400000,12.5,48` + "\n" + `1709294460000,,48` + "\n",
			features: []string{"cpu web01", "mem web01"},
			first:    history.Row{Time: at, Values: []float64{12.5, 48}},
			report:   history.Report{Rows: 2, Missing: 1},
		},
		"influx -format csv": {
			text:     "name,time,usage_idle,usage_user\ncpu,1709294400000000000,87.5,10\ncpu,1709294460000000000,86,11\n",
			features: []string{"usage_idle", "usage_user"},
			first:    history.Row{Time: at, Values: []float64{87.5, 10}},
			report:   history.Report{Rows: 2, Ignored: []string{"name"}},
		},
		"numpy savetxt with a header and tabs": {
			text:     "cpu\tmemory\n1.250000000000000000e+01\t4.800000000000000000e+01\n",
			features: []string{"cpu", "memory"},
			first:    history.Row{Values: []float64{12.5, 48}},
			report:   history.Report{Rows: 1},
		},
		"a psql export with NULL in words": {
			text:     "timestamp,cpu\n2024-03-01T12:00:00Z,12.5\n2024-03-01T12:01:00Z,NULL\n",
			features: []string{"cpu"},
			first:    history.Row{Time: at, Values: []float64{12.5}},
			report: history.Report{Rows: 1, Bad: 1, Problems: []history.Problem{
				{Line: 3, Reason: `cpu: "NULL" is not a number`},
			}},
		},
		"two exports in one file": {
			text:     "time,cpu\n1709294400,12.5\ntime,cpu\n1709294460,13\n",
			features: []string{"cpu"},
			first:    history.Row{Time: at, Values: []float64{12.5}},
			report: history.Report{Rows: 2, Bad: 1, Problems: []history.Problem{
				{Line: 3, Reason: `cpu: "cpu" is not a number`},
			}},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			csv := open(t, c.text)
			require.Equal(t, c.features, csv.Features())
			rows, err := all(csv)
			require.NoError(t, err)
			require.Equal(t, c.first.Time, rows[0].Time)
			for i, v := range c.first.Values {
				require.Equal(t, v, rows[0].Values[i])
			}
			require.Equal(t, c.report, csv.Report())
		})
	}
}

// A file that is no table is refused with a hint of what is expected.
func TestFilesThatAreNoTables(t *testing.T) {
	cases := map[string]struct{ text, want string }{
		"line protocol":    {"cpu,host=web01 usage_idle=87.5 1709294400000000000\n", "no rows"},
		"two lines of it":  {"cpu,host=web01 usage_idle=87.5 1\ncpu,host=web01 usage_idle=87.5 2\n", "no numeric column among"},
		"JSON":             {"{\"cpu\": 12.5}\n{\"cpu\": 13}\n", "header: a quote is not closed"},
		"annotated CSV":    {"#group,false,false,true\n#datatype,string,long,double\n#default,_result,,\n,result,table,_value\n,,0,1\n", "two columns are called"},
		"a binary":         {"\x7fELF\x02\x01\x01\x00", "not a text file"},
		"Latin-1":          {"t\xe9mp,cpu\n1,2\n", "not a text file"},
		"a sheet of Excel": {"PK\x03\x04\x14\x00\x06\x00", "not a text file"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := history.NewCSV(reader(c.text), "upload", nil)
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, "history: upload: ")
		})
	}
}
