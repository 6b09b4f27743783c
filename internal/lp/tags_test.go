package lp

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTags(t *testing.T) {
	for _, c := range []struct {
		line, want string
		ok         bool
	}{
		{"cpu,cpu=cpu0,host=a v=1 5\n", ",cpu=cpu0,host=a", true},
		{"mem v=1,w=2 5\n", "", true},
		{"mem,a=b  v=1 5\n", ",a=b", true},
		{`cpu,path=C:\ v=1`, "", false},
		{`c\,pu,host=a v=1`, "", false},
		{"cpu,host=a", "", false},
		{"", "", false},
	} {
		tags, ok := Tags([]byte(c.line))
		require.Equal(t, c.want, string(tags), "%q", c.line)
		require.Equal(t, c.ok, ok, "%q", c.line)
	}
}

func TestRawTagsValue(t *testing.T) {
	tags := RawTags(",cpu=cpu0,host=a,xcpu=y")
	for key, want := range map[string]string{"cpu": "cpu0", "host": "a", "xcpu": "y", "pu": "", "hos": "", "": ""} {
		require.Equal(t, want, string(tags.Value(TagPrefix(key))), key)
	}
	require.Nil(t, RawTags(nil).Value(TagPrefix("cpu")))
}

// What a raw tag is worth is what the decoder makes of it.
func TestRawTagsAgreeWithDecode(t *testing.T) {
	var p Point
	compared := 0
	for _, v := range verdicts(t) {
		line := []byte(v.line + "\n")
		tags, ok := Tags(line)
		if !ok || !isOneLine(string(line)) || line[0] == ' ' || Decode(&p, line, telegrafNow) != nil {
			continue
		}
		for _, tag := range p.Tags {
			require.Equal(t, string(p.Tag(string(tag.Key))), string(tags.Value(TagPrefix(string(tag.Key)))), "%q", line)
			compared++
		}
	}
	require.Greater(t, compared, 10)
}
