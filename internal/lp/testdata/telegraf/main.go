// Command main prints what Telegraf's own parser makes of a set of lines, and
// how its own serializer writes metrics with difficult names. Its output is
// corpus.txt, against which package lp is tested. It is not part of the module,
// which would grow by a hundred dependencies:
//
//	cp main.go EMPTY-DIR && cd EMPTY-DIR && go mod init corpus
//	go get github.com/influxdata/telegraf/plugins/parsers/influx@v1.39.3
//	go get github.com/influxdata/telegraf/plugins/serializers/influx@v1.39.3
//	go run . > corpus.txt
package main

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/influxdata/telegraf"
	"github.com/influxdata/telegraf/metric"
	"github.com/influxdata/telegraf/plugins/parsers/influx"
	serializer "github.com/influxdata/telegraf/plugins/serializers/influx"
)

var now = time.Unix(0, 1_700_000_000_000_000_000)

// lines are written by hand; what is behind each is for the reader to find out.
var lines = []string{
	`cpu,cpu=cpu-total,host=a usage_idle=99.5 1700000000000000000`,
	`mem,host=a used_percent=12.25,total=25276510208i,free=1u 1700000000000000000`,
	`net,host=a,interface=eth0 bytes_recv=18446744073709551615u,speed=-1i 1700000000000000000`,
	`cpu a=1`, `cpu a=1 `, `cpu a=1  5`, ` cpu a=1 5`, `cpu  a=1 5`, `cpu a=1 5 `, `cpu a=1 -5`, `cpu a=1 0`, `cpu a=1 -0`,
	"cpu a=1 5\r", "cpu a=1\r", "cpu a=1 \r", "cpu\ta=1 5", "cpu a=1\t5", "cpu a=1 5\t", "\tcpu a=1 5",
	`cpu`, `cpu `, `cpu,host=a`, `cpu,host=a `, `cpu,host= a=1`, `cpu,=a a=1`, `cpu,host a=1`, `cpu, a=1`, `,host=a a=1`, ` `, ``,
	`# comment a=1`, ` # comment a=1`, `#a=1`, `cpu# a=1`, `cpu a=1 # comment`,
	`cpu a=1,`, `cpu ,a=1`, `cpu a=1,,b=2`, `cpu a=1, b=2`, `cpu a=`, `cpu =1`, `cpu a`, `cpu a=1=2`, `cpu a==1`,
	`cpu a=1i`, `cpu a=-1i`, `cpu a=1u`, `cpu a=-1u`, `cpu a=01i`, `cpu a=01`, `cpu a=+1`, `cpu a=1.`, `cpu a=.5`, `cpu a=-.5`, `cpu a=.`, `cpu a=-`, `cpu a=1.2.3`,
	`cpu a=1e3`, `cpu a=1E3`, `cpu a=1e+3`, `cpu a=1e-3`, `cpu a=1e`, `cpu a=e3`, `cpu a=1e400`, `cpu a=1e-400`, `cpu a=-0`,
	`cpu a=9223372036854775807i`, `cpu a=9223372036854775808i`, `cpu a=-9223372036854775808i`, `cpu a=18446744073709551616u`, `cpu a=1.5i`, `cpu a=i`,
	`cpu a=NaN`, `cpu a=Inf`, `cpu a=-Inf`, `cpu a=nan`, `cpu a=0x10`, `cpu a=1_000`,
	`cpu a=t`, `cpu a=T`, `cpu a=true`, `cpu a=True`, `cpu a=TRUE`, `cpu a=f`, `cpu a=F`, `cpu a=false`, `cpu a=tRue`, `cpu a=truee`, `cpu a=yes`,
	`cpu a=""`, `cpu a="x"`, `cpu a="x y"`, `cpu a="x=1,y=2"`, `cpu a="x",b=2 5`, `cpu a="\""`, `cpu a="\\"`, `cpu a="\\\""`, `cpu a="x\n"`, `cpu a="C:\dir"`, "cpu a=\"x\ny\"", "cpu a=\"x\r\ny\",b=1 5",
	`cpu a="5" 5`, `cpu a="x 5"`, `cpu a="x" 5`, `cpu a="x"5`, `cpu a="x"b=1`, `cpu a="x`, `cpu a=x"`, `cpu a=x`, `cpu a='x'`,
	`cp\ u a=1`, `cp\,u a=1`, `cp\=u a=1`, `cp=u a=1`, `cp\u a=1`, `cpu\ a=1`, `cpu\\ a=1`, `cpu,h=a\ b a=1`, `cpu,h=a\,b a=1`, `cpu,h=a\=b a=1`, `cpu,h=a\b a=1`, `cpu,h=a\\b a=1`,
	`cpu,h=C:\ a=1`, `cpu,h=a\\ b a=1`, `cpu,h=a\\\ b a=1`, `cpu,h\ x=a a=1`, `cpu,h\==a a=1`, `cpu,h="a" a=1`, `cpu,h="a b" a=1`, `cpu,h=a"b a=1`, `cpu,h=a=b a=1`, `cpu,a=x\\ b,c="q v=1`,
	`cpu a\ b=1`, `cpu a\,b=1`, `cpu a\=b=1`, `cpu a\"b=1`, `cpu a"b=1`, `cpu "a"=1`, `cpu a\\=1`, `cpu a\=`, `cpu a\="b=1`,
	`cpu a=1 9223372036854775807`, `cpu a=1 9223372036854775808`, `cpu a=1 -9223372036854775808`, `cpu a=1 1e9`, `cpu a=1 1.5`, `cpu a=1 5i`, `cpu a=1 5 5`, `cpu a=1 --5`, `cpu a=1 5-`, `cpu a=1 +5`, `cpu a=1 -`,
	"cpu a=1\x005", "cpu,h=a\x00b a=1", "cpu a=\"x\x00y\"", "c\x00pu a=1", "cpu a=\"\xff\"", "cpu,h=\xff a=1", "cpu a=\"ü\"", `cpü,höst=ä ü=1 5`,
	"cpu,h=a\x7fb a=1", "cpu a=1\v5", "cpu a=1\f5",
}

// metrics are hard to write down.
var metrics = []telegraf.Metric{
	metric.New("cpu", map[string]string{"host": `C:\`, "os": `a\b`}, map[string]any{"v": 1.5}, now),
	metric.New("c p,u=", map[string]string{"a b": "c d", "e=f": "g=h", "i,j": "k,l"}, map[string]any{"x y": 1.5, "z=": int64(3)}, now),
	metric.New("cpu", map[string]string{"h": "tab\there", "n": "line\nend"}, map[string]any{"v": uint64(7)}, now),
	metric.New("cpu", map[string]string{"h": `a\ b`, "i": `a\,b`, "j": `a\\`}, map[string]any{"v": uint64(7)}, now),
	metric.New("cpu", nil, map[string]any{"s": "a \"quoted\" \\ back\\slash"}, now),
	metric.New("cpu", nil, map[string]any{"s": "two\nlines", "n": 1e300}, now),
	metric.New("cpu", nil, map[string]any{"s": `ends in \`, "n": int64(-5)}, now),
	metric.New("cpu", nil, map[string]any{"a": true, "n": 1e-9}, time.Unix(0, -1)),
	metric.New(`cpu\`, nil, map[string]any{"n": 1.0}, now),
	metric.New(`c\pu`, map[string]string{`k\`: "v"}, map[string]any{`f\`: 1.0}, now),
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	written := serialize(append(metrics, random(200)...))
	seen := map[string]bool{}
	for _, part := range []struct {
		name  string
		lines []string
	}{{"hand", lines}, {"telegraf", written}, {"mutant", mutate(slices.Concat(lines, written), 600)}} {
		for _, line := range part.lines {
			if !seen[line] {
				seen[line] = true
				fmt.Fprintf(out, "%s\t%s\t%s\n", part.name, strconv.Quote(line), parse(line+"\n"))
			}
		}
	}
}

func serialize(metrics []telegraf.Metric) (lines []string) {
	s := &serializer.Serializer{SortFields: true, UintSupport: true}
	if err := s.Init(); err != nil {
		panic(err)
	}
	for _, m := range metrics {
		if text, err := s.Serialize(m); err == nil {
			lines = append(lines, strings.TrimSuffix(string(text), "\n"))
		}
	}
	return lines
}

// random makes metrics of random words.
func random(n int) (metrics []telegraf.Metric) {
	r := rand.New(rand.NewPCG(3, 4))
	word := func() string {
		var b strings.Builder
		for range 1 + r.IntN(4) {
			b.WriteString([]string{" ", ",", "=", `\`, `"`, "'", "#", "a", "b", "1", "é", "-", "."}[r.IntN(13)])
		}
		return b.String()
	}
	for range n {
		m := metric.New(word(), nil, nil, now)
		for range r.IntN(3) {
			m.AddTag(word(), word())
		}
		for range 1 + r.IntN(3) {
			m.AddField(word(), []any{r.NormFloat64(), r.Int64(), r.Uint64(), word(), word() + "\n" + word(), r.IntN(2) == 0}[r.IntN(6)])
		}
		metrics = append(metrics, m)
	}
	return metrics
}

// mutate changes one to three bytes of random lines.
func mutate(lines []string, n int) (mutants []string) {
	r := rand.New(rand.NewPCG(1, 2))
	alphabet := " ,=\\\"\n\ta1i-.e#\r"
	for range n {
		b := []byte(lines[r.IntN(len(lines))])
		for range 1 + r.IntN(3) {
			i, c := r.IntN(len(b)+1), alphabet[r.IntN(len(alphabet))]
			switch {
			case r.IntN(2) == 0:
				b = slices.Insert(b, i, c)
			case i < len(b):
				b[i] = c
			}
		}
		mutants = append(mutants, string(b))
	}
	return mutants
}

func parse(line string) string {
	p := influx.Parser{}
	if err := p.Init(); err != nil {
		panic(err)
	}
	p.SetTimeFunc(func() time.Time { return now })
	metrics, err := p.Parse([]byte(line))
	switch {
	case err != nil:
		return "error"
	case len(metrics) != 1:
		return fmt.Sprintf("%d metrics", len(metrics))
	}
	return strconv.Quote(render(metrics[0]))
}

func render(m telegraf.Metric) string {
	var tags, fields []string
	for _, t := range m.TagList() {
		tags = append(tags, t.Key+"="+t.Value)
	}
	for _, f := range m.FieldList() {
		fields = append(fields, f.Key+"="+number(f.Value))
	}
	slices.Sort(fields)
	return fmt.Sprintf("%s|%s|%s|%d", m.Name(), strings.Join(tags, "|"), strings.Join(fields, "|"), m.Time().UnixNano())
}

func number(v any) string {
	switch v := v.(type) {
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case int64:
		return strconv.FormatFloat(float64(v), 'g', -1, 64)
	case uint64:
		return strconv.FormatFloat(float64(v), 'g', -1, 64)
	}
	return "-"
}
