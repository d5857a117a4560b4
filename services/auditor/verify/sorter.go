package verify

import (
	"context"
	"iter"
	"os"

	"github.com/lanrat/extsort"
)

// chunk is how many records a sorter sorts at once in memory. Up to five of them are in hand, with 24 bytes a record
// less than 64 MiB; what is more waits in a file.
const chunk = 512 << 10

// codec is how a sorter writes records to its file.
type codec[T any] struct {
	encode  func(T) []byte
	decode  func([]byte) T
	compare func(a, b T) int
}

// sorter sorts any number of records with a bound on memory. Its file is in os.TempDir and has no name, so that nothing is left
// of it however the process ends. Not safe for concurrent use.
type sorter[T any] struct {
	cancel  context.CancelFunc
	input   chan T
	sorted  <-chan T
	failure <-chan error
	ready   chan struct{} // closed when all input has been taken, or none will be any more
	closed  bool          // input
}

// newSorter starts one. Close it.
func newSorter[T any](ctx context.Context, c codec[T], chunk int) *sorter[T] {
	ctx, cancel := context.WithCancel(ctx)
	s := &sorter[T]{cancel: cancel, input: make(chan T, 1024), ready: make(chan struct{})}
	sort, sorted, failure := extsort.Generic(s.input,
		func(b []byte) (T, error) { return c.decode(b), nil },
		func(record T) ([]byte, error) { return c.encode(record), nil },
		c.compare, &extsort.Config{ChunkSize: chunk, NumWorkers: 1, TempFilesDir: os.TempDir()})
	s.sorted, s.failure = sorted, failure
	go func() {
		defer close(s.ready)
		sort.Sort(ctx)
	}()
	return s
}

// add takes a record. After a failure it does nothing; all says what it was.
func (s *sorter[T]) add(record T) {
	select {
	case s.input <- record:
	case <-s.ready:
	}
}

// all yields the records in order, once, after the last add. An error ends them.
func (s *sorter[T]) all() iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		s.finish()
		for record := range s.sorted {
			if !yield(record, nil) {
				return
			}
		}
		if err := <-s.failure; err != nil {
			var none T
			yield(none, err)
		}
	}
}

func (s *sorter[T]) finish() {
	if !s.closed {
		s.closed = true
		close(s.input)
	}
	<-s.ready
}

// close stops the sorter and waits until it has.
func (s *sorter[T]) close() {
	s.cancel()
	s.finish()
	for range s.sorted {
	}
}
