package measure

import (
	"context"
	"encoding/json"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// running starts m.Run and returns what ends it and waits for it.
func running(m *Meter) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); m.Run(ctx) }()
	return func() { cancel(); <-done }
}

func TestEachSecondIsAPointAndTheRestOfTheLastOneToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New(time.Now())
		memory := math.NaN()
		m.Gauge("memory", func() float64 { return memory })
		stop := running(m)

		m.Connected.Add(3)
		m.Connects.Add(3)
		m.Sent.Add(10)
		m.Ack(2 * time.Millisecond)
		time.Sleep(1100 * time.Millisecond)
		memory = 42
		m.Connected.Add(-1)
		m.Cuts.Add(1)
		m.Sent.Add(5)
		m.Ack(4 * time.Millisecond)
		time.Sleep(1400 * time.Millisecond)
		m.Received.Add(7)
		stop()

		p := m.Series()
		if len(p) != 3 {
			t.Fatalf("%d points, want 3: %+v", len(p), p)
		}
		if p[0].AtSeconds != 1 || p[1].AtSeconds != 2 || p[2].AtSeconds != 2.5 || p[2].Seconds != 0.5 {
			t.Errorf("at %v, %v, %v for %v", p[0].AtSeconds, p[1].AtSeconds, p[2].AtSeconds, p[2].Seconds)
		}
		if p[0].Connected != 3 || p[0].Sent != 10 || p[0].Connects != 3 || p[0].Latencies.Ack.P50Ms != 2 || p[0].Gauges != nil {
			t.Errorf("the first second: %+v", p[0])
		}
		if p[1].Connected != 2 || p[1].Sent != 5 || p[1].Cuts != 1 || p[1].Connects != 0 || p[1].Gauges["memory"] != 42 {
			t.Errorf("the second second: %+v", p[1])
		}
		if l := p[1].Latencies.Ack; l.Count != 1 || math.Abs(l.MaxMs-4) > 0.004 {
			t.Errorf("the second second's acks: %+v", l)
		}
		if p[2].Received != 7 || p[2].PerSecond(p[2].Received) != 14 || p[2].Latencies != (Latencies{}) {
			t.Errorf("the rest: %+v", p[2])
		}
	})
}

func TestASnapshotHoldsWhatNoPointHoldsYetAndTakesNothingFromIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New(time.Now())
		stop := running(m)
		time.Sleep(500 * time.Millisecond)
		m.Acked.Add(1)
		m.Delivery(time.Second)
		for range 2 {
			s := m.Snapshot()
			if s.At != 500*time.Millisecond || s.Totals.Acked != 1 || s.Latencies.Delivery.Count != 1 || len(s.Recent) != 0 {
				t.Fatalf("before the first point: %+v", s)
			}
		}
		time.Sleep(time.Second)
		s := m.Snapshot()
		if len(s.Recent) != 1 || s.Recent[0].Acked != 1 || s.Recent[0].Latencies.Delivery.Count != 1 {
			t.Errorf("after the first point: %+v", s.Recent)
		}
		if s.Latencies.Delivery.Count != 1 {
			t.Errorf("so far: %+v", s.Latencies)
		}
		stop()
	})
}

func TestTheLastMinuteIsInSecondsAndTheSeriesIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New(time.Now())
		stop := running(m)
		const seconds = 3*maxPoints + 1
		for range seconds {
			m.Sent.Add(1)
			time.Sleep(time.Second)
		}
		synctest.Wait()
		stop()
		var sent int64
		var length, at float64
		for _, p := range m.Series() {
			if p.AtSeconds <= at || p.Seconds > 4 {
				t.Fatalf("a point of %v s at %v after one at %v", p.Seconds, p.AtSeconds, at)
			}
			sent, length, at = sent+p.Sent, length+p.Seconds, p.AtSeconds
		}
		if n := len(m.Series()); n > maxPoints || n < maxPoints/2 {
			t.Errorf("%d points", n)
		}
		if sent != seconds || length != seconds || at != seconds {
			t.Errorf("%d sent in %v s until %v, want %d of each", sent, length, at, seconds)
		}
		recent := m.Snapshot().Recent
		if len(recent) != recentPoints || recent[0].Seconds != 1 || recent[59].AtSeconds != seconds {
			t.Errorf("%d recent points: %+v", len(recent), recent)
		}
	})
}

func TestNothingIsLostOfWhatManyCountAtTheSameTime(t *testing.T) {
	m := New(time.Now())
	stop := running(m)
	const who, times = 50, 2000
	var all sync.WaitGroup
	for range who {
		all.Go(func() {
			for i := range times {
				m.Received.Add(1)
				m.Delivery(time.Duration(i) * time.Microsecond)
				if i%500 == 0 {
					m.Snapshot()
				}
			}
		})
	}
	all.Wait()
	stop()
	s := m.Snapshot()
	if s.Totals.Received != who*times || s.Latencies.Delivery.Count != who*times {
		t.Errorf("%d received, %d latencies, want %d", s.Totals.Received, s.Latencies.Delivery.Count, who*times)
	}
	var inPoints int64
	for _, p := range m.Series() {
		inPoints += p.Latencies.Delivery.Count
	}
	if inPoints != who*times {
		t.Errorf("%d latencies in the series, want %d", inPoints, who*times)
	}
}

func TestQuantilesAreWithinAThousandth(t *testing.T) {
	m := New(time.Now())
	for i := 1; i <= 10_000; i++ {
		m.Connect(time.Duration(i) * 100 * time.Microsecond) // to 1 s
	}
	l := m.Snapshot().Latencies.Connect
	for _, c := range []struct {
		name      string
		got, want float64
	}{{"p50", l.P50Ms, 500}, {"p90", l.P90Ms, 900}, {"p99", l.P99Ms, 990}, {"p99.9", l.P999Ms, 999}, {"max", l.MaxMs, 1000}} {
		if math.Abs(c.got-c.want) > c.want/1000 {
			t.Errorf("%s is %v, want %v", c.name, c.got, c.want)
		}
	}
}

func TestLatenciesOutOfRangeCountAsTheNearestInRange(t *testing.T) {
	m := New(time.Now())
	m.Recovery(-time.Second)
	m.Recovery(time.Hour)
	l := m.Snapshot().Latencies.Recovery
	if l.Count != 2 || l.P50Ms != 0.001 || math.Abs(l.MaxMs-60_000) > 60 {
		t.Errorf("%+v", l)
	}
}

func TestOfTwoPointsMadeOneTheLargerQuantileStays(t *testing.T) {
	a := Point{AtSeconds: 1, Seconds: 1, Connected: 5, Counts: Counts{Sent: 1, Bytes: 10}, Gauges: map[string]float64{"m": 1}}
	b := Point{AtSeconds: 3, Seconds: 2, Connected: 4, Counts: Counts{Sent: 2, Cuts: 1}}
	a.Latencies.Ack, b.Latencies.Ack = Latency{1, 1, 2, 3, 4, 5}, Latency{2, 5, 4, 3, 2, 1}
	got := a.Then(b)
	if got.AtSeconds != 3 || got.Seconds != 3 || got.Connected != 4 || got.Counts != (Counts{Sent: 3, Cuts: 1, Bytes: 10}) {
		t.Errorf("%+v", got)
	}
	if got.Latencies.Ack != (Latency{3, 5, 4, 3, 4, 5}) || got.Gauges["m"] != 1 {
		t.Errorf("%+v", got)
	}
	if n := len(Thin([]Point{a, b, a, b, a}, 2)); n != 2 {
		t.Errorf("5 points thinned to %d, want 2", n)
	}
}

func TestAPointSaysInJSONOnlyWhatItKnows(t *testing.T) {
	text, err := json.Marshal(Point{AtSeconds: 1, Seconds: 1, Latencies: Latencies{Ack: Latency{Count: 1, P50Ms: 2}}})
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	if _, ok := fields["gauges"]; ok || fields["sent"] != 0.0 || fields["atSeconds"] != 1.0 {
		t.Errorf("%s", text)
	}
	if l := fields["latencies"].(map[string]any); len(l) != 1 || l["ack"] == nil {
		t.Errorf("%s", text)
	}
}

func TestRecordingDoesNotAllocate(t *testing.T) {
	m := New(time.Now())
	if n := testing.AllocsPerRun(1000, func() { m.Received.Add(1); m.Delivery(3 * time.Millisecond) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkRecord(b *testing.B) {
	m := New(time.Now())
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for d := time.Duration(0); pb.Next(); d += 7 * time.Microsecond {
			m.Received.Add(1)
			m.Delivery(d % (50 * time.Millisecond))
		}
	})
}

func BenchmarkSnapshot(b *testing.B) {
	m := New(time.Now())
	for i := range 100_000 {
		m.Delivery(time.Duration(i) * time.Microsecond)
	}
	b.ReportAllocs()
	for b.Loop() {
		m.Snapshot()
	}
}
