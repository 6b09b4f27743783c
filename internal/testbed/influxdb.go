package testbed

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const influxConfig = `reporting-disabled = true
bind-address = "%[2]s"
[meta]
  dir = %[1]q
[data]
  dir = %[1]q
  wal-dir = "%[1]s/wal"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "%[3]s"
  flux-enabled = true
  log-enabled = false
`

// A Server is an InfluxDB that runs.
type Server struct {
	*Process
	URL string
}

// StartInfluxDB starts InfluxDB on free ports of the loopback interface, with its
// data and its log in dir, and returns when it answers.
func StartInfluxDB(ctx context.Context, root, dir string) (*Server, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("testbed: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("testbed: %w", err)
	}
	addresses, err := freeAddresses(2)
	if err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "influxdb.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, influxConfig, dir, addresses[0], addresses[1]), 0o644); err != nil {
		return nil, fmt.Errorf("testbed: %w", err)
	}
	p, err := Start(exec.Command(InfluxDB.Path(root), "-config", config), filepath.Join(dir, "influxdb.log"))
	if err != nil {
		return nil, err
	}
	s := &Server{p, "http://" + addresses[1]}
	if err := s.ready(ctx); err != nil {
		_ = p.Stop()
		return nil, fmt.Errorf("%w; see %s", err, p.log)
	}
	return s, nil
}

func (s *Server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	err := Until(ctx, "InfluxDB to answer", func() bool {
		_, err := s.Query(ctx, "", "SHOW DATABASES")
		return err == nil || !s.Running()
	})
	if err == nil && !s.Running() {
		err = fmt.Errorf("testbed: InfluxDB ended at once")
	}
	return err
}

// freeAddresses returns n loopback addresses that nobody listens on now.
func freeAddresses(n int) (addresses []string, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("testbed: no free port: %w", err)
		}
		defer l.Close() // only when all are found, so that they differ
		addresses = append(addresses, l.Addr().String())
	}
	return addresses, nil
}

// A Row is one row of a query's result: values by the name of their column.
// Numbers are json.Number, absent values nil.
type Row map[string]any

// Float returns a number of the row.
func (r Row) Float(column string) (v float64, ok bool) {
	n, ok := r[column].(json.Number)
	if ok {
		v, err := n.Float64()
		return v, err == nil
	}
	return 0, false
}

// Text returns a string of the row, "" if there is none.
func (r Row) Text(column string) string {
	s, _ := r[column].(string)
	return s
}

// Time returns the time of the row.
func (r Row) Time() time.Time {
	n, _ := r["time"].(json.Number)
	ns, _ := n.Int64()
	return time.Unix(0, ns)
}

// Query runs InfluxQL. The rows of all series come one after the other, each with
// its series' name as "name" and its tags beside the columns.
func (s *Server) Query(ctx context.Context, database, influxQL string) ([]Row, error) {
	form := url.Values{"db": {database}, "q": {influxQL}, "epoch": {"ns"}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/query", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, fmt.Errorf("testbed: %w", err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("testbed: %w", err)
	}
	defer response.Body.Close()
	var a answer
	decoder := json.NewDecoder(response.Body)
	decoder.UseNumber()
	if err := decoder.Decode(&a); err != nil {
		return nil, fmt.Errorf("testbed: %s: %w", influxQL, err)
	}
	return a.rows(influxQL)
}

// answer is what /query returns.
type answer struct {
	Error   string
	Results []struct {
		Error  string
		Series []struct {
			Name    string
			Tags    map[string]string
			Columns []string
			Values  [][]any
		}
	}
}

func (a *answer) rows(query string) (rows []Row, err error) {
	failure := a.Error
	for _, result := range a.Results {
		failure += result.Error
		for _, series := range result.Series {
			for _, values := range series.Values {
				row := Row{"name": series.Name}
				for tag, value := range series.Tags {
					row[tag] = value
				}
				for i, column := range series.Columns {
					row[column] = values[i]
				}
				rows = append(rows, row)
			}
		}
	}
	if failure != "" {
		return nil, fmt.Errorf("testbed: %s: %s", query, failure)
	}
	return rows, nil
}
