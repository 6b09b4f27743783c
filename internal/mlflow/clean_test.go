package mlflow

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestUnfitRunsAreRefused(t *testing.T) {
	long := strings.Repeat("x", 600)
	artifact := func(path string) func(*Run) {
		return func(r *Run) { r.Artifacts = []Artifact{{Path: path}} }
	}
	for name, tc := range map[string]struct {
		spoil   func(*Run)
		problem string
	}{
		"id with a path":          {func(r *Run) { r.ID = "../x" }, `run id "../x"`},
		"id with a quote":         {func(r *Run) { r.ID = "x' or 'a" }, `run id "x' or 'a"`},
		"no start":                {func(r *Run) { r.Start = time.Time{} }, "no start time"},
		"before Unix":             {func(r *Run) { r.Start = time.UnixMilli(-1) }, "before 1970"},
		"ends first":              {func(r *Run) { r.End = began.Add(-1) }, "ends before it starts"},
		"unknown status":          {func(r *Run) { r.Status = "DONE" }, `status "DONE": want FINISHED`},
		"long experiment":         {func(r *Run) { r.Experiment = long }, "longer than 500 characters"},
		"experiment with newline": {func(r *Run) { r.Experiment = "a\nb" }, "control characters"},
		"experiment of bytes":     {func(r *Run) { r.Experiment = "\xff" }, "broken UTF-8"},
		"param above":             {func(r *Run) { r.Params = map[string]string{"../x": ""} }, `param "../x"`},
		"param without name":      {func(r *Run) { r.Params = map[string]string{"": ""} }, `param ""`},
		"param absolute":          {func(r *Run) { r.Params = map[string]string{"/x": ""} }, `param "/x"`},
		"param with long name":    {func(r *Run) { r.Params = map[string]string{long: ""} }, "key longer than 250 characters"},
		"params of one key":       {func(r *Run) { r.Params = map[string]string{"a:b": "", "a_b": ""} }, `the same key on the server, "a_b"`},
		"tag ./":                  {func(r *Run) { r.Tags = map[string]string{"./x": ""} }, `tag "./x"`},
		"metric //":               {func(r *Run) { r.Metrics[0].Key = "a//b" }, `metric "a//b"`},
		"metric before Unix":      {func(r *Run) { r.Metrics[0].Time = time.UnixMilli(-1) }, "before 1970"},
		"dataset without digest":  {func(r *Run) { r.Datasets[0].Digest = "" }, "dataset 0: needs a name and a digest"},
		"dataset with long name":  {func(r *Run) { r.Datasets[0].Name = long }, "longer than 500 characters"},
		"artifact above":          {artifact("../x"), `artifact "../x"`},
		"artifact above within":   {artifact("a/../../x"), `artifact "a/../../x"`},
		"artifact absolute":       {artifact("/etc/passwd"), `artifact "/etc/passwd"`},
		"artifact of Windows":     {artifact(`..\x`), `artifact "..\\x"`},
		"artifact encoded":        {artifact("%2e%2e/x"), `artifact "%2e%2e/x"`},
		"artifact with query":     {artifact("a?b"), `artifact "a?b"`},
		"artifact a folder":       {artifact("a/"), `artifact "a/"`},
		"artifact without name":   {artifact(""), `artifact ""`},
		"artifact with newline":   {artifact("a\nb"), "control characters"},
		"artifact with long path": {artifact(long), "longer than 500 characters"},
		"artifact twice":          {func(r *Run) { r.Artifacts = append(r.Artifacts, r.Artifacts[0]) }, "another one has the same path"},
		"artifact of both":        {func(r *Run) { r.Artifacts[0].File = "x" }, "File or Data, not both"},
		"model with a path":       {func(r *Run) { r.Model.Name = "../x" }, `model "../x"`},
		"model with a slash":      {func(r *Run) { r.Model.Name = "a/b" }, `model "a/b"`},
		"model with a quote":      {func(r *Run) { r.Model.Name = "a'b" }, `model "a'b"`},
		"model without name":      {func(r *Run) { r.Model.Name = "" }, `model ""`},
		"model with long name":    {func(r *Run) { r.Model.Name = long }, "at most 250"},
		"alias latest":            {func(r *Run) { r.Model.Alias = "Latest" }, `model alias "Latest"`},
		"alias v1":                {func(r *Run) { r.Model.Alias = "v1" }, `model alias "v1"`},
		"alias with a slash":      {func(r *Run) { r.Model.Alias = "a/b" }, `model alias "a/b"`},
		"model file MLmodel":      {func(r *Run) { r.Model.Data.Path = "MLmodel" }, "that name is taken"},
		"model file above":        {func(r *Run) { r.Model.Data.Path = "../x" }, `artifact "../x"`},
		"child with a model":      {func(r *Run) { r.Children[0].Model = r.Model }, `child 0 ("0.01"): a child run has no model`},
		"child with a child":      {func(r *Run) { r.Children[1].Children = r.Children[:1] }, "no children"},
		"child unfit":             {func(r *Run) { r.Children[1].Params = map[string]string{"..": ""} }, `child 1 ("0.05"): param ".."`},
		"too many children":       {func(r *Run) { r.Children = make([]Run, 1001) }, "1001 child runs, at most 1000"},
	} {
		t.Run(name, func(t *testing.T) {
			run := sample()
			tc.spoil(&run)
			_, err := run.clean()
			require.ErrorContains(t, err, tc.problem)
			require.Less(t, len(err.Error()), 1000)
			_, _, uploadErr := Upload(t.Context(), testClient(t, Config{}), run)
			require.EqualError(t, uploadErr, err.Error(), "before anything is sent")
		})
	}
}

func TestCleanMendsWhatOnlyDescribes(t *testing.T) {
	run := sample()
	run.ID, run.Status = "", ""
	run.Name = strings.Repeat("n", 300)
	run.Params = map[string]string{"weight:cpu=α": strings.Repeat("é", maxParam+1), "bytes": "\xff"}
	run.Metrics = []Metric{{Key: "p(anomaly)"}}
	run.Datasets[0].Digest = strings.Repeat("0", 64)
	run.Model.Description = strings.Repeat("d", maxTag+1)
	clean, err := run.clean()
	require.NoError(t, err)
	require.Regexp(t, `^\d{8}T\d{6}Z-[0-9a-f]{12}$`, clean.ID)
	require.Equal(t, Finished, clean.Status)
	require.Len(t, []rune(clean.Name), maxRunName)
	require.Equal(t, map[string]string{"weight_cpu_α": strings.Repeat("é", maxParam-1) + "…", "bytes": "\uFFFD"}, clean.Params)
	require.Equal(t, "p_anomaly_", clean.Metrics[0].Key)
	require.Equal(t, ended, clean.Metrics[0].Time)
	require.Len(t, clean.Datasets[0].Digest, maxDigest)
	require.Len(t, []rune(clean.Model.Description), maxTag)
}

func TestCleanLeavesTheCallersRunAlone(t *testing.T) {
	run := sample()
	run.Params["a:b"] = ""
	run.Metrics[0].Key = "a:b"
	before := show(run)
	clean, err := run.clean()
	require.NoError(t, err)
	for _, a := range clean.artifacts() {
		a.File = "changed"
	}
	require.Equal(t, before, show(run))
}

func TestIDsSortByTime(t *testing.T) {
	first, second := newID(began), newID(began.Add(time.Second))
	require.Less(t, first, second)
	require.NotEqual(t, newID(began), newID(began))
}

// Whatever the keys and values, clean either refuses the run or returns one that
// clean leaves as it is, with nothing in it that a server refuses.
func TestCleanIsFinal(t *testing.T) {
	texts := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-z./:]{0,8}`), rapid.StringN(0, 300, -1))
	rapid.Check(t, func(t *rapid.T) {
		run := sample()
		run.Params = rapid.MapOf(texts, texts).Draw(t, "params")
		run.Metrics[0].Key = texts.Draw(t, "metric")
		run.Artifacts = []Artifact{{Path: texts.Draw(t, "path")}}
		run.Model.Name = texts.Draw(t, "model")
		once, err := run.clean()
		if err != nil {
			return
		}
		twice, err := once.clean()
		require.NoError(t, err)
		require.Equal(t, show(once), show(twice))
		for key := range once.Params {
			require.Regexp(t, `^[/\p{L}\p{N}_.\- ]{1,250}$`, key)
			require.NotContains(t, "/"+key+"/", "/../")
		}
		require.NotContains(t, "/"+once.Artifacts[0].Path+"/", "/../")
		require.NotContains(t, once.Model.Name, "/")
	})
}
