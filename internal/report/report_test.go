package report

import (
	"bytes"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/history"
	"telegraf-anomaly/internal/model"
	"telegraf-anomaly/internal/quality"
	"telegraf-anomaly/internal/trainer"
)

// hostile is a feature's name that would be a script if it were not escaped.
const hostile = `<script>alert("x")</script>`

// data are a day of two features with a spike of the first that is labelled.
func data(t *testing.T) *Data {
	t.Helper()
	var b strings.Builder
	b.WriteString("time,cpu,odd,label,cause\n")
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 1440 {
		cpu, label := 40+10*math.Sin(float64(i)/200)+float64(i*7919%13)/5, 0
		if i >= 900 && i < 905 {
			cpu, label = 99, 1
		}
		fmt.Fprintf(&b, "%s,%.4f,%d,%d,%s\n", start.Add(time.Duration(i)*time.Minute).Format(time.RFC3339), cpu, i*31%17, label, "cpu")
	}
	file := filepath.Join(t.TempDir(), "record.csv")
	require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o600))
	s := feature.Schema{Interval: time.Minute, Window: 15 * time.Minute, Features: []feature.Feature{
		{Name: "cpu", Measurement: "csv", Fields: []string{"cpu"}}, {Name: "odd", Measurement: "csv", Fields: []string{"odd"}},
	}}
	require.NoError(t, s.Normalize())
	r, err := history.Open(file, s.Names())
	require.NoError(t, err)
	src := &trainer.Source{Record: r}
	set, err := trainer.Collect(t.Context(), src, s, 1)
	require.NoError(t, err)
	bundle, err := trainer.Fit(set, detect.DefaultOptions(), model.Provenance{Program: "test", Source: hostile})
	require.NoError(t, err)
	d := &Data{Record: hostile, Bundle: bundle}
	d.Table, err = trainer.ReadTable(t.Context(), src, s, time.Time{})
	require.NoError(t, err)
	d.Judgement, err = trainer.JudgeTable(t.Context(), d.Table, bundle, start, 2)
	require.NoError(t, err)
	d.Evaluation, err = trainer.Evaluate(t.Context(), d.Table, bundle, start, true, 1, 2)
	require.NoError(t, err)
	d.Quality, err = quality.Inspect(t.Context(), src, s, nil, start.Add(25*time.Hour), 0)
	require.NoError(t, err)
	return d
}

func TestThePageNeedsNothingElse(t *testing.T) {
	d := data(t)
	var page, again bytes.Buffer
	require.NoError(t, Write(&page, d))
	require.NoError(t, Write(&again, d))
	require.Equal(t, page.String(), again.String(), "the same data give the same bytes")

	text := page.String()
	require.NotContains(t, text, hostile)
	require.Contains(t, text, "&lt;script&gt;")
	require.NotContains(t, text, "NaN")
	for _, link := range regexp.MustCompile(`(?:src|href|url\()\s*=?\s*["']?(https?:)?//[^"' )]+`).FindAllString(text, -1) {
		t.Errorf("the page asks for %s", link)
	}
	for _, part := range []string{"How scores are distributed", "Score over time", "Precision and recall", "Receiver operating", "What counts", "The strangest moments", "Feature ranges", "Data quality", "Robustness", "Spoiled copies of the last ", "Model card"} {
		require.Contains(t, text, part)
	}
	require.Equal(t, 4, strings.Count(text, "<svg"))
}

func TestMomentsNameTheCulprit(t *testing.T) {
	moments := Moments(data(t), 20)
	require.NotEmpty(t, moments)
	first := moments[0]
	require.True(t, first.Labelled)
	require.Equal(t, "cpu", first.Parts[0].Feature)
	require.Contains(t, first.Sentence, "Because of cpu (")
	require.Contains(t, first.Sentence, "at 99,")
	for i, m := range moments {
		for _, other := range moments[:i] {
			require.GreaterOrEqual(t, m.Time.Sub(other.Time).Abs(), apart)
		}
	}
}

func TestFigures(t *testing.T) {
	for value, want := range map[float64]string{0: "0", 1234: "1.23e+03", 12345: "12.3 k", 2.5e6: "2.5 M", 3e9: "3 G", -2e6: "-2 M"} {
		require.Equal(t, want, figure(value))
	}
	require.Equal(t, "–", figure(math.NaN()))
	require.Equal(t, "–", percent(math.NaN()))
}

// A real browser draws the page, without a complaint and without asking anybody
// for anything. CHROME names the browser; with SCREENSHOT the picture is kept.
func TestInChromium(t *testing.T) {
	chrome := os.Getenv("CHROME")
	if chrome == "" {
		t.Skip("CHROME does not name a browser")
	}
	var page bytes.Buffer
	require.NoError(t, Write(&page, data(t)))
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page.Bytes())
	}))
	defer server.Close()

	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chrome), chromedp.NoSandbox, chromedp.WindowSize(1180, 900))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	var complaints []string
	require.NoError(t, chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			complaints = append(complaints, fmt.Sprint(e.ExceptionDetails))
		case *log.EventEntryAdded:
			complaints = append(complaints, e.Entry.Text)
		}
	}))
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(server.URL)))
	drawings, err := chromedp.Run(ctx, chromedp.Evaluate[[]float64](`[...document.querySelectorAll("svg")].map(s => s.getBoundingClientRect().height)`))
	require.NoError(t, err)
	overflow, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > document.documentElement.clientWidth`))
	require.NoError(t, err)
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	require.NoError(t, err)
	require.Empty(t, complaints)
	require.Equal(t, []string{"/"}, asked)
	require.Len(t, drawings, 4)
	for _, height := range drawings {
		require.Greater(t, height, 100.0)
	}
	require.False(t, overflow, "the page is wider than its window")
	require.Greater(t, len(picture), 50_000)
	if file := os.Getenv("SCREENSHOT"); file != "" {
		require.NoError(t, os.WriteFile(file, picture, 0o600))
	}
}
