package signing

import (
	"bytes"
	"context"
	"encoding/binary"
	"iter"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.uber.org/goleak"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeLog is a log in memory whose event at an offset follows from the offset.
type fakeLog struct {
	mu       sync.Mutex
	state    eventlog.State
	lost     map[uint64]int // offset: at so many readings to come there is nothing there
	behind   int            // so many states to come are those of a replica that is behind
	altered  uint64         // the event at this offset is another one
	silent   uint64         // behind this offset nothing comes; 0: everything does
	readings int
}

func (l *fakeLog) State(context.Context) (eventlog.State, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	state := l.state
	if l.behind > 0 {
		l.behind--
		state.Last = 0
	}
	return state, nil
}

func (l *fakeLog) event(offset uint64) (e event.Event) {
	e.Offset, e.At = offset, time.Unix(int64(offset), 0)
	binary.BigEndian.PutUint64(e.Digest[:], offset)
	if offset == l.altered {
		e.Digest[31] = 1
	}
	return e
}

func (l *fakeLog) Get(_ context.Context, offset uint64) (event.Event, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost[offset] > 0 {
		l.lost[offset]--
		return event.Event{}, fault.New("get", fault.Temporary, eventlog.ErrNotFound)
	}
	return l.event(offset), nil
}

func (l *fakeLog) Leaves(ctx context.Context, after, through uint64, apply func(tlog.Hash) error) (lost uint64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.readings++
	for offset := after + 1; offset <= through; offset++ {
		if l.silent > 0 && offset > l.silent {
			l.mu.Unlock()
			<-ctx.Done()
			l.mu.Lock()
			return lost, ctx.Err()
		}
		e := l.event(offset)
		leaf := notary.Leaf(&e)
		if l.lost[offset] > 0 {
			l.lost[offset]--
			lost++
			leaf = notary.NoLeaf()
		}
		if err := apply(leaf); err != nil {
			return lost, err
		}
	}
	return lost, nil
}

func (l *fakeLog) change(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
}

// fakeLedger is a stream of checkpoints in memory.
type fakeLedger struct {
	mu       sync.Mutex
	entries  []notary.Entry
	fails    error // of every append
	hangs    bool  // every append, until its context ends
	attempts int   // to append
	times    []time.Time
}

func (l *fakeLedger) Provision(context.Context) error { return nil }

func (l *fakeLedger) Last(context.Context) (notary.Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.entries) == 0 {
		return notary.Entry{}, notary.ErrNone
	}
	return l.entries[len(l.entries)-1], nil
}

func (l *fakeLedger) Append(ctx context.Context, previous uint64, e *notary.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.attempts++
	if l.hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	if l.fails != nil {
		return l.fails
	}
	if previous != uint64(len(l.entries)) {
		return notary.ErrFenced
	}
	if e.Sequence = previous + 1; e.Began == 0 {
		e.Began = e.Sequence
	}
	l.entries, l.times = append(l.entries, *e), append(l.times, time.Now())
	return nil
}

func (l *fakeLedger) Entries(context.Context) iter.Seq2[notary.Entry, error] {
	return func(yield func(notary.Entry, error) bool) {
		l.mu.Lock()
		entries := slices.Clone(l.entries)
		l.mu.Unlock()
		for _, e := range entries {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (l *fakeLedger) Hashes(_ context.Context, last notary.Entry) tlog.HashReader {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []byte
	for _, e := range l.entries[last.Began-1 : last.Sequence] {
		all = append(all, e.Hashes...)
	}
	return tlog.HashReaderFunc(func(indexes []int64) (hashes []tlog.Hash, _ error) {
		for _, i := range indexes {
			hashes = append(hashes, tlog.Hash(all[tlog.HashSize*i:][:tlog.HashSize]))
		}
		return hashes, nil
	})
}

func (l *fakeLedger) change(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
}

// sizes are those of all entries.
func (l *fakeLedger) sizes() (sizes []uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.entries {
		sizes = append(sizes, e.Size)
	}
	return sizes
}

func (l *fakeLedger) tried() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.attempts
}

// trial is a notary on fakes. projected follows the log's end.
type trial struct {
	*Notary
	log    *fakeLog
	ledger *fakeLedger
	said   *said
	mine   bool
	stop   func() // and wait
}

func start(t testing.TB, replicas int) *trial {
	t.Helper()
	log := &fakeLog{state: eventlog.State{Epoch: "e1", Replicas: replicas}, lost: map[uint64]int{}}
	return startOn(t, testOptions(t), log, &fakeLedger{})
}

// startOn returns when the notary has looked for the first time. What the test then does after whole looks falls between two of the
// notary's: at the same instant, which of them comes first would be chance.
func startOn(t testing.TB, options Options, log *fakeLog, ledger *fakeLedger) *trial {
	t.Helper()
	r := &trial{log: log, ledger: ledger, said: &said{}, mine: true}
	r.Notary = New(options, NewMetrics(prometheus.NewRegistry()), slog.New(slog.NewTextHandler(r.said, nil)))
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		r.run(ctx, log, ledger, func() Projected {
			log.mu.Lock()
			defer log.mu.Unlock()
			return Projected{Offset: log.state.Last, Epoch: log.state.Epoch, Mine: r.mine}
		})
	}()
	r.stop = func() { cancel(); <-stopped }
	synctest.Wait()
	time.Sleep(look / 4)
	return r
}

// grows adds events to the log.
func (r *trial) grows(by uint64) { r.log.change(func() { r.log.state.Last += by }) }

func (r *trial) leads(yes bool) { r.log.change(func() { r.mine = yes }) }

func newKey(t testing.TB) notary.Key {
	t.Helper()
	key, err := notary.EnsureKey(filepath.Join(t.TempDir(), "notary.key"), "tidemark")
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func testOptions(t testing.TB) Options {
	t.Helper()
	return Options{Key: newKey(t), Every: 10, Interval: 10 * time.Second, Replicas: 1}
}

// said is what was logged.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(line)
}

// count counts the lines that hold all the words.
func (s *said) count(words ...string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for line := range strings.Lines(s.text.String()) {
		all := true
		for _, word := range words {
			all = all && strings.Contains(line, word)
		}
		if all {
			n++
		}
	}
	return n
}

func value(t testing.TB, m prometheus.Metric) float64 {
	t.Helper()
	var out dto.Metric
	if err := m.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.GetGauge().GetValue() + out.GetCounter().GetValue()
}
