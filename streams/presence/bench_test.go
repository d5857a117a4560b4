package presence

import (
	"encoding/json"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// BenchmarkEnter is from Enter on one gateway to Changed on another, one at a time.
func BenchmarkEnter(b *testing.B) {
	server := logtest.Start(b)
	arrived := make(chan Change, 1)
	o := Options{Changed: func(c Change) { arrived <- c }}
	here, there := start(b, server.URL(), Options{}), start(b, server.URL(), o)
	there.Enter(bob)
	<-arrived
	here.sees(bob)
	b.ReportAllocs()
	for b.Loop() {
		here.Enter(ann)
		<-arrived
		b.StopTimer()
		here.Leave(User, ann.ID)
		<-arrived
		b.StartTimer()
	}
}

// BenchmarkEnterMany is the same with all at once.
func BenchmarkEnterMany(b *testing.B) {
	server := logtest.Start(b)
	here, there := start(b, server.URL(), Options{}), start(b, server.URL(), Options{})
	here.Enter(ann)
	there.sees(ann)
	entries := make([]Entry, b.N)
	for i := range entries {
		entries[i] = Entry{Nick, fmt.Sprintf("kTBJHGnXAwFy%08d", i), "somebody"}
	}
	b.ReportAllocs()
	b.ResetTimer()
	for _, e := range entries {
		here.Enter(e)
	}
	eventually(b, func() string { return "they do not arrive" }, func() bool { return there.Count(Nick) == b.N })
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

// BenchmarkMemory is what an entry of another gateway costs this one, a user's
// id and a name of ten characters.
func BenchmarkMemory(b *testing.B) {
	const n = 100_000
	var before, after runtime.MemStats
	for b.Loop() {
		v := newTestView()
		v.leaseSeen("g", time.Now())
		runtime.GC()
		runtime.ReadMemStats(&before)
		for i := range n {
			value, _ := json.Marshal(Entry{User, fmt.Sprintf("%032x", i), fmt.Sprintf("name %05d", i)})
			var e Entry
			if err := json.Unmarshal(value, &e); err != nil {
				b.Fatal(err)
			}
			v.put("g", "user."+subject.Token(e.ID), e, time.Now())
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "B/entry")
		runtime.KeepAlive(v)
	}
}
