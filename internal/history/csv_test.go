package history_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"telegraf-anomaly/internal/history"
)

func open(t require.TestingT, text string, features ...string) *history.CSV {
	c, err := history.NewCSV(strings.NewReader(text), "test.csv", features)
	require.NoError(t, err)
	return c
}

// all reads to the end and copies the values that the reader reuses.
func all(c *history.CSV) (rows []history.Row, err error) {
	for {
		row, err := c.Next()
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		row.Values = append([]float64{}, row.Values...)
		rows = append(rows, row)
	}
}

func values(t require.TestingT, c *history.CSV) (table [][]float64) {
	rows, err := all(c)
	require.NoError(t, err)
	for _, row := range rows {
		table = append(table, row.Values)
	}
	return table
}

func TestALabelledRecord(t *testing.T) {
	c := open(t, `time,cpu,memory,network,label,event,kind,cause
2024-01-01T00:00:00Z,20,50,1.5e6,0,0,,
2024-01-01T00:01:00Z,99.5,50.5,3e6,1,1,spike10x,cpu;network
2024-01-01T00:02:00Z,98,50.5,3e6,1,1,spike10x,cpu;network
`)
	rows, err := all(c)
	require.NoError(t, err)
	at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	require.Equal(t, []history.Row{
		{Time: at, Values: []float64{20, 50, 1.5e6}},
		{Time: at.Add(time.Minute), Values: []float64{99.5, 50.5, 3e6}, Label: true, Event: 1, Kind: "spike10x", Cause: []string{"cpu", "network"}},
		{Time: at.Add(2 * time.Minute), Values: []float64{98, 50.5, 3e6}, Label: true, Event: 1, Kind: "spike10x", Cause: []string{"cpu", "network"}},
	}, rows)
	require.Equal(t, []string{"cpu", "memory", "network"}, c.Features())
	require.True(t, c.HasTime())
	require.True(t, c.HasLabels())
	require.Equal(t, history.Report{Rows: 3}, c.Report())
	require.NoError(t, c.Close())
}

func TestARecordOfNumbersOnly(t *testing.T) {
	c := open(t, "a,b\n1,2\n3,4\n")
	rows, err := all(c)
	require.NoError(t, err)
	require.Equal(t, []history.Row{{Values: []float64{1, 2}}, {Values: []float64{3, 4}}}, rows)
	require.False(t, c.HasTime())
	require.False(t, c.HasLabels())
}

// Ways to write the same table.
func TestDialects(t *testing.T) {
	plain := "time,cpu,memory\n2024-01-01T00:00:00Z,1,2\n2024-01-01T00:01:00Z,3,4\n"
	want, err := all(open(t, plain))
	require.NoError(t, err)
	for name, text := range map[string]string{
		"semicolons":           strings.ReplaceAll(plain, ",", ";"),
		"tabs":                 strings.ReplaceAll(plain, ",", "\t"),
		"blanks after commas":  strings.ReplaceAll(plain, ",", ", "),
		"Windows line ends":    strings.ReplaceAll(plain, "\n", "\r\n"),
		"byte-order mark":      "\ufeff" + plain,
		"gzip":                 zip(plain),
		"gzip in two members":  zip(plain[:40]) + zip(plain[40:]),
		"mark and gzip":        zip("\ufeff" + plain),
		"blank lines":          strings.ReplaceAll(plain, "\n", "\n\n"),
		"blank lines first":    "\n \n" + plain,
		"quoted":               `"time","cpu","memory"` + "\n" + `"2024-01-01T00:00:00Z","1","2"` + "\n" + `"2024-01-01T00:01:00Z","3","4"` + "\n",
		"timestamp":            strings.Replace(plain, "time", "timestamp", 1),
		"Timestamp":            strings.Replace(plain, "time", "Timestamp", 1),
		"blank for T":          strings.ReplaceAll(strings.ReplaceAll(plain, "01T00", "01 00"), "Z", ""),
		"pandas with offset":   strings.ReplaceAll(strings.ReplaceAll(plain, "01T00", "01 00"), "Z", "+00:00"),
		"no offset":            strings.ReplaceAll(plain, "Z", ""),
		"another offset":       strings.NewReplacer("T00", "T02", "Z", "+02:00").Replace(plain),
		"exponents and signs":  "time,cpu,memory\n2024-01-01T00:00:00Z,1e0,+2.0\n2024-01-01T00:01:00Z,0.3E1,4.\n",
		"pandas' index column": ",time,cpu,memory\n0,2024-01-01T00:00:00Z,1,2\n1,2024-01-01T00:01:00Z,3,4\n",
	} {
		t.Run(name, func(t *testing.T) {
			got, err := all(open(t, text))
			require.NoError(t, err)
			require.Equal(t, want, got)
		})
	}
}

func zip(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.String()
}

func TestTimes(t *testing.T) {
	instant := time.Date(2026, 11, 23, 12, 53, 10, 617_000_000, time.UTC)
	for text, want := range map[string]time.Time{
		"2026-11-23T12:53:10.617Z":      instant,
		"2026-11-23T14:53:10.617+02:00": instant,
		"2026-11-23 12:53:10.617":       instant,
		"2026-11-23 07:53:10.617-05:00": instant,
		"1795438390":                    instant.Truncate(time.Second),
		"1795438390.617":                instant,
		"1.795438390617e9":              instant,
		"1795438390617":                 instant,
		"1795438390617000":              instant,
		"1795438390617000000":           instant,
		"0":                             time.Unix(0, 0).UTC(),
		"-1":                            time.Unix(-1, 0).UTC(),
	} {
		t.Run(text, func(t *testing.T) {
			row, err := open(t, "time,v\n"+text+",1\n").Next()
			require.NoError(t, err)
			require.Equal(t, want, row.Time)
		})
	}
}

func TestUnixTimesOfAnyUnitAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// 1990 to 2100: the years in which metrics have been and will be stored.
		s := rapid.Int64Range(631152000, 4102444800).Draw(t, "seconds")
		text := fmt.Sprintf("time,v\n%d,1\n%d000,1\n%d000000,1\n%d000000000,1\n", s, s, s, s)
		rows, err := all(open(t, text))
		require.NoError(t, err)
		require.Len(t, rows, 4)
		for _, row := range rows {
			require.Equal(t, time.Unix(s, 0).UTC(), row.Time)
		}
	})
}

func TestMissingValuesAreNaN(t *testing.T) {
	c := open(t, "cpu,memory\n1,\n,\n,2\n")
	table := values(t, c)
	require.True(t, math.IsNaN(table[0][1]) && math.IsNaN(table[1][0]) && math.IsNaN(table[2][0]))
	require.Equal(t, history.Report{Rows: 3, Missing: 4}, c.Report())
}

func TestLabels(t *testing.T) {
	for text, want := range map[string]bool{"0": false, "1": true, "0.0": false, "1.0": true, "True": true, "false": false, "": false} {
		row, err := open(t, "v,label\n7,"+text+"\n").Next()
		require.NoError(t, err)
		require.Equal(t, want, row.Label, "%q", text)
	}
}

func TestCauses(t *testing.T) {
	for text, want := range map[string][]string{
		"cpu":          {"cpu"},
		"cpu;net":      {"cpu", "net"},
		" cpu ; net ;": {"cpu", "net"},
		"":             nil,
		";":            nil,
	} {
		row, err := open(t, "v,cause\n7,"+text+"\n").Next()
		require.NoError(t, err)
		require.Equal(t, want, row.Cause, "%q", text)
	}
	quoted, err := open(t, "v;cause\n7;\"cpu;net\"\n").Next()
	require.NoError(t, err)
	require.Equal(t, []string{"cpu", "net"}, quoted.Cause)
}

func TestFeaturesAreChosenByName(t *testing.T) {
	c := open(t, "time,a,b,c\n0,1,2,3\n", "c", "a")
	require.Equal(t, [][]float64{{3, 1}}, values(t, c))
	require.Equal(t, []string{"c", "a"}, c.Features())
	require.Equal(t, []string{"b"}, c.Report().Ignored)
}

func TestNumericColumnsAreChosenByTheirFirstRows(t *testing.T) {
	cases := map[string]struct {
		text              string
		features, ignored []string
	}{
		"texts are ignored":               {"host,cpu\nweb,1\nweb,2\n", []string{"cpu"}, []string{"host"}},
		"labels are no features":          {"label,event,kind,type,cause,cpu\n0,0,,,,1\n", []string{"cpu"}, nil},
		"one stray text among numbers":    {"cpu,mem\n1,2\nn/a,2\n3,2\n", []string{"cpu", "mem"}, nil},
		"empty cells decide nothing":      {"cpu,mem\n,2\n,2\n5,2\n", []string{"cpu", "mem"}, nil},
		"always empty":                    {"cpu,mem\n,2\n,2\n", []string{"mem"}, []string{"cpu"}},
		"broken rows decide nothing":      {"cpu,mem\nx\nx,\"\n1,2\n", []string{"cpu", "mem"}, nil},
		"more than a thousand first rows": {"cpu,mem\n" + strings.Repeat(",1\n", 1000) + "7,1\n", []string{"mem"}, []string{"cpu"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			csv := open(t, c.text)
			require.Equal(t, c.features, csv.Features())
			require.Equal(t, c.ignored, csv.Report().Ignored)
		})
	}
}

func TestFilesThatCannotBeOpened(t *testing.T) {
	cases := map[string]struct {
		text     string
		features []string
		want     string
	}{
		"empty":             {"", nil, "history: test.csv: no rows"},
		"blank":             {"\n\n \n", nil, "no rows"},
		"only a mark":       {"\ufeff", nil, "no rows"},
		"header only":       {"time,cpu\n", nil, "no rows"},
		"header and blanks": {"time,cpu\n\n\r\n", nil, "no rows"},
		"empty gzip":        {zip(""), nil, "no rows"},
		"no header":         {"2024-01-01T00:00:00Z,1,2\n", nil, `column 1 is called "2024-01-01T00:00:00Z": the first line must name the columns`},
		"numbers for names": {"cpu,7\n1,2\n", nil, `column 2 is called "7": the first line must name the columns`},
		"two of a name":     {"cpu,mem,cpu\n1,2,3\n", nil, `two columns are called "cpu": rename one`},
		"missing column":    {"time,cpu,net\n0,1,2\n", []string{"cpu", "memory"}, `no column "memory"; there are "cpu", "net"`},
		"label as feature":  {"cpu,label\n1,0\n", []string{"label"}, `column "label" cannot be a feature`},
		"asked for twice":   {"cpu,net\n1,0\n", []string{"cpu", "cpu"}, `feature "cpu" is asked for twice`},
		"nothing numeric":   {"host,os\nweb,linux\n", nil, `no numeric column among "host", "os"`},
		"only a time":       {"time\n0\n", nil, "no numeric column among none"},
		"UTF-16":            {"\xff\xfec\x00p\x00u\x00", nil, "text is UTF-16: save it as UTF-8"},
		"not a text":        {"PK\x03\x04\x00\x00", nil, "not a text file"},
		"endless header":    {strings.Repeat("x", 1<<21), nil, "line over 1 MiB"},
		"open quote":        {"\"cpu,mem\n1,2\n", nil, "header: a quote is not closed"},
		"broken gzip":       {"\x1f\x8bxxxxxxxxxxxxxxx", nil, "gzip: invalid header"},
		"gzip of 5 bytes":   {zip("cpu\n1\n")[:5], nil, "file is cut short"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := history.NewCSV(strings.NewReader(c.text), "test.csv", c.features)
			require.ErrorContains(t, err, c.want)
			if strings.Contains(c.want, "no rows") {
				require.ErrorIs(t, err, history.ErrEmpty)
			}
		})
	}
}

func TestBadRowsAreSkippedAndReported(t *testing.T) {
	cases := map[string]struct{ row, reason string }{
		"too few fields":    {"0,1", "2 fields, the header names 5"},
		"too many fields":   {"0,1,2,0,0,9", "6 fields, the header names 5"},
		"no time":           {"yesterday,1,2,0,0", `time: "yesterday" is no time (RFC 3339, "2006-01-02 15:04:05" or Unix)`},
		"empty time":        {",1,2,0,0", `time: "" is no time`},
		"impossible time":   {"2024-02-30T00:00:00Z,1,2,0,0", `time: "2024-02-30T00:00:00Z" is no time`},
		"text for a number": {"0,1,n/a,0,0", `mem: "n/a" is not a number`},
		"NaN in words":      {"0,NaN,2,0,0", `cpu: "NaN" is not finite`},
		"Inf in words":      {"0,1,-inf,0,0", `mem: "-inf" is not finite`},
		"too large":         {"0,1e999,2,0,0", `cpu: "1e999" is not finite`},
		"decimal comma":     {`0,"1,5",2,0,0`, `cpu: "1,5" is not a number: write decimals with a point`},
		"label of its own":  {"0,1,2,maybe,0", `label "maybe" is neither 0 nor 1`},
		"label 2":           {"0,1,2,2,0", `label "2" is neither 0 nor 1`},
		"half an event":     {"0,1,2,0,1.5", `event "1.5" is not an integer`},
		"stray quote":       {`0,1,2,0,"0`, "a quote is not closed, or stands inside a field"},
		"endless line":      {strings.Repeat("0", 1<<21), "line over 1 MiB"},
		"long text":         {"0," + strings.Repeat("x", 1000) + ",2,0,0", `cpu: "` + strings.Repeat("x", 40) + `" is not a number`},
	}
	for name, bad := range cases {
		t.Run(name, func(t *testing.T) {
			c := open(t, "time,cpu,mem,label,event\n0,1,2,0,0\n"+bad.row+"\n60,3,4,0,0\n", "cpu", "mem")
			require.Equal(t, [][]float64{{1, 2}, {3, 4}}, values(t, c), "the rows around it are good")
			report := c.Report()
			require.Equal(t, 1, report.Bad)
			require.Equal(t, 3, report.Problems[0].Line)
			require.Contains(t, report.Problems[0].String(), "line 3: "+bad.reason)
		})
	}
}

func TestAMillionBadRowsCostOneCounter(t *testing.T) {
	rows := 1_000_000
	c, err := history.NewCSV(io.MultiReader(
		strings.NewReader("cpu\n1\n"), &repeat{line: "x\n", times: rows}), "test.csv", []string{"cpu"})
	require.NoError(t, err)
	require.Len(t, values(t, c), 1)
	require.Equal(t, rows, c.Report().Bad)
	require.Len(t, c.Report().Problems, 5)
}

func TestNoGoodRowAtAll(t *testing.T) {
	_, err := open(t, "time,cpu\nmonday,1\ntuesday,2\n").Next()
	require.EqualError(t, err, `history: test.csv: none of 2 rows can be used; line 2: time: "monday" is no time (RFC 3339, "2006-01-02 15:04:05" or Unix)`)
}

func TestTimeThatRepeatsOrGoesBackIsCountedAndDelivered(t *testing.T) {
	c := open(t, "time,v\n60,1\n60,2\n120,3\n60,4\n180,5\n")
	require.Len(t, values(t, c), 5)
	require.Equal(t, history.Report{Rows: 5, Duplicates: 1, Backwards: 1}, c.Report())
}

func TestAFileThatIsCutShort(t *testing.T) {
	var text strings.Builder
	text.WriteString("time,cpu\n")
	for i := range 20000 {
		fmt.Fprintf(&text, "%d,%d\n", i*60, i*i%101)
	}
	whole := zip(text.String())
	c, err := history.NewCSV(strings.NewReader(whole[:len(whole)/2]), "half.csv.gz", nil)
	require.NoError(t, err)
	rows, err := all(c)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.ErrorContains(t, err, fmt.Sprintf("history: half.csv.gz: after %d rows: file is cut short, copy it again", len(rows)))
	require.NotEmpty(t, rows)
	_, again := c.Next()
	require.Equal(t, err, again, "the end stays the end")
}

// Wherever a file is cut, every value that is delivered is whole, and the row that
// is not is counted: 1234 cut to 12 is a number as good as any.
func TestATextThatIsCutShort(t *testing.T) {
	whole := "time,cpu\n60,1234\n120,5678\n180,9012\n"
	want := [][]float64{{1234}, {5678}, {9012}}
	for cut := strings.Index(whole, "120"); cut <= len(whole); cut++ {
		text := whole[:cut]
		c := open(t, text)
		require.Equal(t, want[:strings.Count(text, "\n")-1], values(t, c), "cut at %d", cut)
		require.Equal(t, !strings.HasSuffix(text, "\n"), c.Report().Bad == 1, "cut at %d", cut)
	}
	c := open(t, whole[:len(whole)-2])
	require.Len(t, values(t, c), 2)
	require.Equal(t, "line 4: the line has no end, the file may be cut here", c.Report().Problems[0].String())
}

func TestADiskThatFails(t *testing.T) {
	failing := io.MultiReader(strings.NewReader("cpu\n1\n2\n"), iotest.ErrReader(errors.New("disk on fire")))
	c, err := history.NewCSV(failing, "test.csv", nil)
	require.NoError(t, err)
	rows, err := all(c)
	require.EqualError(t, err, "history: test.csv: after 2 rows: disk on fire")
	require.Len(t, rows, 2)
}

func TestOpenCSV(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "cpu.csv") // compressed whatever its name says
	require.NoError(t, os.WriteFile(path, []byte(zip("cpu\n1\n")), 0o600))
	c, err := history.OpenCSV(path, nil)
	require.NoError(t, err)
	require.Equal(t, [][]float64{{1}}, values(t, c))
	require.NoError(t, c.Close())

	_, err = history.OpenCSV(filepath.Join(dir, "none.csv"), nil)
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = history.OpenCSV(path, []string{"mem"})
	require.ErrorContains(t, err, `cpu.csv: no column "mem"; there are "cpu"`)
}

// However the bytes come in, the rows are the same.
func TestChunksDoNotMatter(t *testing.T) {
	text := zip("time,cpu\n" + strings.Repeat("0,1\n", 3000))
	for name, chunked := range map[string]func(io.Reader) io.Reader{
		"one byte": iotest.OneByteReader, "half": iotest.HalfReader, "data with the error": iotest.DataErrReader,
	} {
		t.Run(name, func(t *testing.T) {
			c, err := history.NewCSV(chunked(strings.NewReader(text)), "test.csv", nil)
			require.NoError(t, err)
			require.Len(t, values(t, c), 3000)
		})
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		separator := rapid.SampledFrom([]string{",", ";", "\t"}).Draw(t, "separator")
		want := rapid.SliceOfN(rapid.SliceOfN(rapid.Float64(), 3, 3), 1, 20).Draw(t, "rows")
		text := strings.Join([]string{"a", "b", "c"}, separator) + "\n"
		for _, row := range want {
			text += fmt.Sprintf("%v%s%v%s%v\n", row[0], separator, row[1], separator, row[2])
		}
		require.Equal(t, want, values(t, open(t, text)))
	})
}
