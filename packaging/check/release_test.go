package check

import (
	"testing"

	"github.com/goreleaser/goreleaser/v2/pkg/config"
	"github.com/stretchr/testify/require"
)

// The release's configuration is read as goreleaser reads it: a key that it does
// not know is an error.
func TestGoreleaser(t *testing.T) {
	p, err := config.Load("../../.goreleaser.yaml")
	require.NoError(t, err)
	require.Len(t, p.Builds, 2)
	require.Len(t, p.NFPMs, 1)
	require.NotEmpty(t, p.SBOMs)
	require.Equal(t, "SHA256SUMS", p.Checksum.NameTemplate)
}
