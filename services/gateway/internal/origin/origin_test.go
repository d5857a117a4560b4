package origin

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 678_900_000, time.UTC)

func TestAnIDIsAUUIDv7OfItsTime(t *testing.T) {
	for _, now := range []time.Time{start, time.UnixMilli(0), time.UnixMilli(-5), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)} {
		id := New().NewID(now)
		u, err := uuid.Parse(id)
		if err != nil || u.Version() != 7 || u.Variant() != uuid.RFC4122 || u.String() != id {
			t.Errorf("%v: %q, %v", now, id, err)
		}
		if got, want := millisecond(u), max(0, now.UnixMilli()); got != want {
			t.Errorf("%v: the id is of millisecond %d, want %d", now, got, want)
		}
	}
}

func millisecond(u uuid.UUID) (ms int64) {
	for _, b := range u[:6] {
		ms = ms<<8 | int64(b)
	}
	return ms
}

func TestIDsAreUniqueAndAscendInTime(t *testing.T) {
	const ids = 1 << 17
	o, seen, before := New(), make(map[uuid.UUID]bool, ids), ""
	for i := range ids {
		id := o.NewID(start.Add(time.Duration(i/(ids/4)) * time.Millisecond)) // far more than fit into 4 ms
		if id[:13] < before {
			t.Fatalf("%s follows %s", id, before)
		}
		before = id[:13]
		seen[uuid.MustParse(id)] = true
	}
	if len(seen) != ids {
		t.Errorf("%d different ids of %d", len(seen), ids)
	}
	ahead := millisecond(uuid.MustParse(o.NewID(start))) - start.UnixMilli()
	if want := int64(ids / PerMillisecond); ahead != want {
		t.Errorf("the ids run %d ms ahead, want %d", ahead, want)
	}
}

func TestTheClockMayGoBack(t *testing.T) {
	o := New()
	first, second := o.NewID(start), o.NewID(start.Add(-time.Hour))
	if first == second || first[:13] != second[:13] || !o.Made(first) || !o.Made(second) {
		t.Errorf("%s, then %s", first, second)
	}
	if third := o.NewID(start.Add(time.Millisecond)); third[:13] <= second[:13] || !o.Made(third) {
		t.Errorf("%s, then %s", second, third)
	}
}

func TestOnlyItsMakerRecognisesAnID(t *testing.T) {
	a, b, silent := New(), New(), New()
	for i := range 10_000 {
		now := start.Add(time.Duration(i) * 100 * time.Microsecond)
		of, other := a.NewID(now), b.NewID(now)
		if !a.Made(of) || !b.Made(other) || a.Made(other) || b.Made(of) || silent.Made(of) {
			t.Fatalf("%s of a, %s of b", of, other)
		}
	}
}

func TestWhatIsNoIDIsNotRecognised(t *testing.T) {
	o := New()
	id := o.NewID(start)
	for _, other := range []string{
		"", "x", id[:35], id + "0", "{" + id + "}", "urn:uuid:" + id, strings.ReplaceAll(id, "-", ""),
		strings.Repeat("-", 36), strings.Repeat("é", 18), strings.Repeat("\x00", 36), strings.Replace(id, "-", "x", 1),
		uuid.Nil.String(), uuid.Max.String(), uuid.NewString(), uuid.Must(uuid.NewV7()).String(),
	} {
		if o.Made(other) {
			t.Errorf("%q passes for %s", other, id)
		}
	}
	for i := range id {
		if id[i] == '-' {
			continue
		}
		digit := byte('0')
		if id[i] == digit {
			digit = '1'
		}
		if altered := id[:i] + string(digit) + id[i+1:]; o.Made(altered) {
			t.Errorf("%s passes for %s", altered, id)
		}
	}
}

func TestConcurrentIDsAreUnique(t *testing.T) {
	const makers, each = 8, 2000
	o, ids := New(), make([][]string, makers)
	var wg sync.WaitGroup
	for m := range makers {
		wg.Go(func() {
			for range each {
				id := o.NewID(start)
				if !o.Made(id) {
					t.Errorf("%s is not recognised", id)
				}
				ids[m] = append(ids[m], id)
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, of := range ids {
		for _, id := range of {
			seen[id] = true
		}
	}
	if len(seen) != makers*each {
		t.Errorf("%d different ids of %d", len(seen), makers*each)
	}
}

func FuzzMade(f *testing.F) {
	f.Add("018f3c2a-1b2c-7d3e-9f4a-5b6c7d8e9f0a")
	o := New()
	o.NewID(time.UnixMilli(1<<48 - 1))
	f.Fuzz(func(t *testing.T, id string) {
		if o.Made(id) {
			t.Fatalf("%q was not made here", id)
		}
	})
}

func BenchmarkNewID(b *testing.B) {
	o, now := New(), start
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(time.Millisecond)
		o.NewID(now)
	}
}

func BenchmarkMade(b *testing.B) {
	o := New()
	own, other, later := o.NewID(start), New().NewID(start), New().NewID(start.Add(time.Hour))
	for name, id := range map[string]string{"own": own, "another's": other, "another's, later": later} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				o.Made(id)
			}
		})
	}
}
