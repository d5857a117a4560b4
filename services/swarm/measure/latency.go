package measure

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// What a histogram tells apart: three digits of 1 µs to 60 s, in 140 KB. What is shorter or longer counts as these.
const (
	shortest = 1 // µs
	longest  = 60_000_000
	digits   = 3
)

// Kinds of latency.
const (
	ack = iota
	delivery
	connect
	recovery
	kinds
)

// Latency is the distribution of one kind of latency, each value within 0.1 %. Without a Count it says nothing.
type Latency struct {
	Count  int64   `json:"count"`
	P50Ms  float64 `json:"p50Ms"`
	P90Ms  float64 `json:"p90Ms"`
	P99Ms  float64 `json:"p99Ms"`
	P999Ms float64 `json:"p999Ms"`
	MaxMs  float64 `json:"maxMs"`
}

// Latencies is one distribution of each kind.
type Latencies struct {
	Ack      Latency `json:"ack,omitzero"`      // from the write of a message to its ack
	Delivery Latency `json:"delivery,omitzero"` // from the write of a message to each receipt
	Connect  Latency `json:"connect,omitzero"`  // from the dial to the answer to CONNECT
	Recovery Latency `json:"recovery,omitzero"` // from the dial to the end of the recovery
}

func (l *Latencies) of(kind int) *Latency {
	return [kinds]*Latency{&l.Ack, &l.Delivery, &l.Connect, &l.Recovery}[kind]
}

// recorder takes the latencies of one kind. Who records adds to one shard; what the shards hold is moved to the window
// and the total when somebody asks.
type recorder struct {
	shards []shard // a power of two

	// By the meter's lock:
	window *hdrhistogram.Histogram // since the newest point
	total  *hdrhistogram.Histogram
	spare  *hdrhistogram.Histogram // empty, and changes places with the one of a shard
}

type shard struct {
	mu    sync.Mutex
	fresh *hdrhistogram.Histogram // not yet in window and total
	_     [48]byte                // as in Counter
}

func newRecorder() *recorder {
	r := &recorder{shards: make([]shard, shardCount()), window: newHistogram(), total: newHistogram(), spare: newHistogram()}
	for i := range r.shards {
		r.shards[i].fresh = newHistogram()
	}
	return r
}

func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(shortest, longest, digits) }

// shardCount is two for each processor, but not more than 8, which are 4.5 MB for all kinds.
func shardCount() int {
	n := 2
	for n < 8 && n < 2*runtime.GOMAXPROCS(0) {
		n *= 2
	}
	return n
}

func (r *recorder) record(d time.Duration) {
	s := r.lock()
	// The value is in range, so there is no error.
	_ = s.fresh.RecordValue(min(max(d.Microseconds(), shortest), longest))
	s.mu.Unlock()
}

// lock takes a shard that nobody is at, or waits for one when all are taken.
func (r *recorder) lock() *shard {
	at, mask := int(rand.Uint32()), len(r.shards)-1
	for i := range r.shards {
		if s := &r.shards[(at+i)&mask]; s.mu.TryLock() {
			return s
		}
	}
	s := &r.shards[at&mask]
	s.mu.Lock()
	return s
}

// gather moves what the shards hold to the window and the total. A shard is locked for as long as it takes to change
// two pointers.
func (r *recorder) gather() {
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		r.spare, s.fresh = s.fresh, r.spare
		s.mu.Unlock()
		if r.spare.TotalCount() == 0 {
			continue
		}
		// All are of one range, so nothing is dropped.
		r.window.Merge(r.spare)
		r.total.Merge(r.spare)
		r.spare.Reset()
	}
}

// sofar is the distribution of everything recorded.
func (r *recorder) sofar() Latency {
	r.gather()
	return distribution(r.total)
}

// endWindow is the distribution since the last call of it.
func (r *recorder) endWindow() Latency {
	r.gather()
	l := distribution(r.window)
	if l.Count > 0 {
		r.window.Reset()
	}
	return l
}

func distribution(h *hdrhistogram.Histogram) Latency {
	if h.TotalCount() == 0 {
		return Latency{}
	}
	ms := func(us int64) float64 { return float64(us) / 1000 }
	q := h.ValueAtPercentilesSlice([]float64{50, 90, 99, 99.9})
	return Latency{
		Count: h.TotalCount(),
		P50Ms: ms(q[0]), P90Ms: ms(q[1]), P99Ms: ms(q[2]), P999Ms: ms(q[3]), MaxMs: ms(h.Max()),
	}
}

// with is the distribution of both, as far as it can be told: a quantile of two together lies between those of each, so
// the larger is what it is at most.
func (l Latency) with(o Latency) Latency {
	return Latency{
		Count: l.Count + o.Count,
		P50Ms: max(l.P50Ms, o.P50Ms), P90Ms: max(l.P90Ms, o.P90Ms), P99Ms: max(l.P99Ms, o.P99Ms),
		P999Ms: max(l.P999Ms, o.P999Ms), MaxMs: max(l.MaxMs, o.MaxMs),
	}
}
