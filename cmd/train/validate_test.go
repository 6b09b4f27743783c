package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/quality"
)

// Rows that cannot be read are counted, even if there is nothing else for longer
// than is looked at to tell numbers from words.
func TestBadRowsFirst(t *testing.T) {
	var text strings.Builder
	text.WriteString("timestamp,cpu,memory,network\n")
	const bad, good = 1500, 600
	text.WriteString(strings.Repeat("?\n", bad))
	for i := range good {
		at := time.Date(2024, 1, 1, 0, i, 0, 0, time.UTC)
		text.WriteString(at.Format(time.RFC3339) + ",20,50,1000\n")
	}
	file := filepath.Join(t.TempDir(), "bad.csv")
	require.NoError(t, os.WriteFile(file, []byte(text.String()), 0o600))
	there, absent, err := present(file, []string{"cpu", "memory", "network"})
	require.NoError(t, err)
	require.Equal(t, []string{"cpu", "memory", "network"}, there)
	require.Empty(t, absent)

	r, err := validate(&terminal{ctx: context.Background(), err: &bytes.Buffer{}}, &schemaFlags{}, file, 0)
	require.NoError(t, err)
	require.NotEqual(t, quality.Pass, r.Status)
	require.Contains(t, r.String(), "1500")
}
