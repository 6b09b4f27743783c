package testbed

import (
	"context"
	"fmt"
	"time"
)

// Until returns when condition holds. It fails when ctx ends first.
func Until(ctx context.Context, what string, condition func() bool) error {
	started := time.Now()
	for !condition() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("testbed: waited %v for %s: %w", time.Since(started).Round(time.Millisecond), what, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}
