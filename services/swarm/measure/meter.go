// Package measure counts what happens while a run goes on. It promises to cost the one who counts next to nothing: no
// allocation, no lock that is held for longer than it takes to add one, whoever counts at the same time; and to stay of
// one size however long the run is.
//
//	clients ── Sent.Add(1) ───▶ counters ──────────┐
//	        ── Ack(3 ms) ─────▶ shards of buckets ─┴─ each second ─▶ Point ─▶ series (at most 7,200, then halved)
//	                                                                      ╰─▶ the last minute, for the live view
//
// Whoever counts may do so on any goroutine. One goroutine is in Run.
package measure

import (
	"context"
	"math"
	"sync"
	"time"
)

const (
	interval = time.Second
	// recentPoints is how many seconds the live view looks back.
	recentPoints = 60
)

// Meter counts for one run.
type Meter struct {
	Connected Counter // connections that are open now: add 1 and -1
	Counters

	began     time.Time
	latencies [kinds]*recorder

	mu     sync.Mutex // guards what follows, and is never taken by those who count
	gauges []gauge
	last   Counts        // at the newest point
	lastAt time.Duration // of the newest point
	series series
	recent []Point
}

type gauge struct {
	name string
	read func() float64
}

// New makes a meter whose clock began to run at began.
func New(began time.Time) *Meter {
	m := &Meter{began: began}
	for k := range m.latencies {
		m.latencies[k] = newRecorder()
	}
	return m
}

// Ack records how long an ack took, from the write of the message.
func (m *Meter) Ack(d time.Duration) { m.latencies[ack].record(d) }

// Delivery records how long a message took from its sender's write to a receipt.
func (m *Meter) Delivery(d time.Duration) { m.latencies[delivery].record(d) }

// Connect records how long it took to be connected, from the dial on.
func (m *Meter) Connect(d time.Duration) { m.latencies[connect].record(d) }

// Recovery records how long it took from the dial until the client was told that it has what it missed.
func (m *Meter) Recovery(d time.Duration) { m.latencies[recovery].record(d) }

// Gauge adds a series of what read returns each second. It is called on Run's goroutine and everything waits for it, so
// it returns what somebody else has fetched. NaN is "not known". Names are few and known before the run.
func (m *Meter) Gauge(name string, read func() float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gauges = append(m.gauges, gauge{name, read})
}

// Run adds a point to the series each second, and one for what is left of the last second when ctx ends.
func (m *Meter) Run(ctx context.Context) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			m.sample()
			return
		case <-ticker.C:
			m.sample()
		}
	}
}

func (m *Meter) sample() {
	gauges := m.readGauges()
	m.mu.Lock()
	defer m.mu.Unlock()
	at, counts := time.Since(m.began), m.Counters.load()
	if at <= m.lastAt {
		return
	}
	p := Point{
		AtSeconds: at.Seconds(), Seconds: (at - m.lastAt).Seconds(),
		Connected: m.Connected.Load(), Counts: counts.minus(m.last), Gauges: gauges,
	}
	for k, r := range m.latencies {
		*p.Latencies.of(k) = r.endWindow()
	}
	m.last, m.lastAt = counts, at
	m.series.add(p)
	if len(m.recent) == recentPoints {
		m.recent = append(m.recent[:0], m.recent[1:]...)
	}
	m.recent = append(m.recent, p)
}

func (m *Meter) readGauges() map[string]float64 {
	m.mu.Lock()
	gauges := m.gauges
	m.mu.Unlock()
	var values map[string]float64
	for _, g := range gauges {
		v := g.read()
		if math.IsNaN(v) || math.IsInf(v, 0) {
			continue
		}
		if values == nil {
			values = make(map[string]float64, len(gauges))
		}
		values[g.name] = v
	}
	return values
}

// Snapshot is how the run stands.
type Snapshot struct {
	At        time.Duration // since the run began
	Connected int64
	Totals    Counts
	Latencies Latencies // of the whole run so far
	Recent    []Point   // the last minute's seconds, oldest first; empty before the first is over
}

// Snapshot tells how the run stands, with everything that was counted before the call.
func (m *Meter) Snapshot() Snapshot {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := Snapshot{
		At: time.Since(m.began), Connected: m.Connected.Load(), Totals: m.Counters.load(),
		Recent: append([]Point(nil), m.recent...),
	}
	for k, r := range m.latencies {
		*s.Latencies.of(k) = r.sofar()
	}
	return s
}

// Series is the run from its beginning, oldest first.
func (m *Meter) Series() []Point {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Point(nil), m.series.points...)
}
