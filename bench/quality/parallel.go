package main

import (
	"errors"
	"sync"
)

// parallel calls f(0) to f(n-1), workers at a time.
func parallel(n, workers int, f func(i int) error) error {
	errs, slots := make([]error, n), make(chan struct{}, max(1, workers))
	var wait sync.WaitGroup
	for i := range n {
		slots <- struct{}{}
		wait.Go(func() {
			errs[i] = f(i)
			<-slots
		})
	}
	wait.Wait()
	return errors.Join(errs...)
}
