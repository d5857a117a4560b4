package presence

import (
	"fmt"
	"maps"
	"testing"

	"pgregory.net/rapid"
)

func TestTheOutboxTellsTheLastThingWantedOfEachKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, bucket, want := newOutbox(), map[string]string{}, map[string]string{}
		deliver := func(reliable bool) {
			for _, w := range o.take(rapid.IntRange(1, 3).Draw(t, "at once")) {
				if reliable || rapid.Bool().Draw(t, "arrives") {
					if bucket[w.key] = ""; w.entry != nil {
						bucket[w.key] = w.entry.Name
					} else {
						delete(bucket, w.key)
					}
				}
				o.done(w, reliable)
			}
		}
		key := func() string { return rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "key") }
		n := 0
		t.Repeat(map[string]func(*rapid.T){
			"put":  func(*rapid.T) { n++; k := key(); want[k] = fmt.Sprint(n); o.put(k, Entry{Name: want[k]}) },
			"drop": func(*rapid.T) { k := key(); delete(want, k); o.drop(k) },
			"late": func(*rapid.T) {
				if k := key(); want[k] == "" {
					bucket[k] = "late"
					o.found(k)
				}
			},
			"deliver": func(*rapid.T) { deliver(true) },
			"fail":    func(*rapid.T) { deliver(false) },
			"": func(*rapid.T) {
				if len(o.wanted) > 4 || len(o.stored) > 4 {
					t.Error("it grows")
				}
			},
		})
		for len(o.wanted) > 0 {
			deliver(true)
		}
		if !maps.Equal(bucket, want) {
			t.Errorf("the bucket holds %v, want %v", bucket, want)
		}
	})
}

// TestTheOutboxForgetsWhoCameAndWentWhileTheBucketWasAway so that an outage
// costs nothing, however many come and go.
func TestTheOutboxForgetsWhoCameAndWentWhileTheBucketWasAway(t *testing.T) {
	o := newOutbox()
	o.put("before", ann)
	for _, w := range o.take(10) {
		o.done(w, true)
	}
	for i := range 1000 {
		o.put(fmt.Sprint(i), ann)
		o.drop(fmt.Sprint(i))
	}
	o.drop("before")
	if len(o.wanted) != 1 || len(o.stored) != 1 {
		t.Errorf("%d wanted, %d stored", len(o.wanted), len(o.stored))
	}
}
