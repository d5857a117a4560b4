package signing

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/streams/notary"
)

// expected are the leaves of a fake log.
func (l *fakeLog) expected(n int) (leaves []tlog.Hash) {
	for offset := range uint64(n) {
		e := l.event(offset + 1)
		leaves = append(leaves, notary.Leaf(&e))
	}
	return leaves
}

// checkChain checks that entries are one chain of trees, signed, of which the last covers just the leaves.
func checkChain(t testing.TB, entries []notary.Entry, leaves []tlog.Hash, options Options) {
	t.Helper()
	before := notary.Entry{}
	for i, e := range entries {
		c, err := notary.Verify([]byte(e.Signed), options.Key.Verifier)
		if err != nil || c.Size != e.Size || e.Sequence != uint64(i+1) {
			t.Fatalf("entry %d: %+v, %v", i+1, c, err)
		}
		if e.From != 0 && (e.From != before.Size || e.Began != before.Began) || e.From == 0 && e.Began != e.Sequence {
			t.Fatalf("entry %d, %d to %d, does not follow one to %d", i+1, e.From, e.Size, before.Size)
		}
		if n := e.Size - e.From; n < 1 || n > uint64(options.Every) {
			t.Errorf("entry %d adds %d", i+1, n)
		}
		if root := naiveRoot(leaves[:e.Size]); c.Root != root {
			t.Fatalf("entry %d, of %d: root %v, want %v", i+1, e.Size, c.Root, root)
		}
		before = e
	}
	if before.Size != uint64(len(leaves)) {
		t.Errorf("%d of %d are covered", before.Size, len(leaves))
	}
}

// naiveRoot is the root by the definition in RFC 6962.
func naiveRoot(leaves []tlog.Hash) tlog.Hash {
	if len(leaves) == 1 {
		return leaves[0]
	}
	left := 1
	for left*2 < len(leaves) {
		left *= 2
	}
	return tlog.NodeHash(naiveRoot(leaves[:left]), naiveRoot(leaves[left:]))
}

func TestAnotherHistoryUnderTheSameEpochIsNotSigned(t *testing.T) {
	for name, change := range map[string]func(l *fakeLog){
		"shorter":       func(l *fakeLog) { l.state.Last = 9 },
		"altered":       func(l *fakeLog) { l.altered = 10 },
		"the end gone":  func(l *fakeLog) { l.lost[10] = 1 << 30 },
		"altered later": func(l *fakeLog) { l.altered, l.state.Last = 10, 20 },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				first := start(t, 1)
				first.grows(10)
				time.Sleep(look)
				first.stop()
				first.log.change(func() { change(first.log) })

				r := startOn(t, first.options, first.log, first.ledger)
				time.Sleep(3*refusedEvery + time.Second)
				if r.ledger.tried() != 1 || r.Report().Problem == "" || value(t, r.metrics.problem) != 1 || value(t, r.metrics.failures) != 0 {
					t.Errorf("%+v, %d entries", r.Report(), r.ledger.tried())
				}
				if r.said.count("ERROR", "refuses to sign", "offset", "auditor verify", "tidemark-epoch") != 1 {
					t.Errorf("said %s", r.said.text.String())
				}
				// The right log comes back, and goes on.
				r.log.change(func() { r.log.altered, r.log.state.Last, r.log.lost[10] = 0, 12, 0 })
				time.Sleep(refusedEvery)
				if got := r.ledger.sizes(); !slices.Equal(got, []uint64{10, 12}) || r.Report().Problem != "" || value(t, r.metrics.problem) != 0 {
					t.Errorf("%v, %+v", got, r.Report())
				}
				r.stop()
				checkChain(t, r.ledger.entries, r.log.expected(12), r.options)
			})
		})
	}
}

func TestALogThatIsAlteredWhileRunningIsNotSigned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, 1)
		defer r.stop()
		r.grows(10)
		time.Sleep(look)
		r.log.change(func() { r.log.altered = 10 })
		r.grows(10)
		time.Sleep(time.Minute)
		if got := r.ledger.sizes(); !slices.Equal(got, []uint64{10}) || value(t, r.metrics.problem) != 1 {
			t.Errorf("%v", got)
		}
	})
}

func TestALogOfAnotherEpochHasATreeOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, 1)
		r.grows(10)
		time.Sleep(look)
		r.log.change(func() { r.log.state.Epoch, r.log.state.Last, r.log.altered = "e2", 4, 2 })
		time.Sleep(time.Minute)
		r.stop()
		if got := r.ledger.sizes(); !slices.Equal(got, []uint64{10, 4}) || r.said.count("WARN", "another one", "e1", "e2") != 1 {
			t.Fatalf("%v", got)
		}
		e := r.ledger.entries[1]
		c, err := notary.Verify([]byte(e.Signed), r.options.Key.Verifier)
		if err != nil || c.Epoch != "e2" || e.Began != 2 || e.From != 0 || c.Root != naiveRoot(r.log.expected(4)) {
			t.Errorf("%+v, %+v, %v", e, c, err)
		}
	})
}

// forges stops the notary and appends a checkpoint of the log's first event, by another key.
func (r *trial) forges(t *testing.T, epoch string) {
	t.Helper()
	r.stop()
	e, err := notary.MakeEntry(notary.Entry{}, &notary.Tree{}, r.log.expected(1), epoch, time.Now(), newKey(t))
	if err == nil {
		err = r.ledger.Append(t.Context(), 1, &e)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Whatever stands last in the ledger, what this notary has signed under the log's epoch still holds.
func TestBehindAnotherTreeAnAlteredLogIsNotSigned(t *testing.T) {
	for name, another := range map[string]func(t *testing.T, r *trial){
		"of an epoch that is forged":       func(t *testing.T, r *trial) { r.forges(t, "e9") },
		"of the same epoch that is forged": func(t *testing.T, r *trial) { r.forges(t, "e1") },
		"of an epoch that there was meanwhile": func(_ *testing.T, r *trial) {
			r.log.change(func() { r.log.state.Epoch, r.log.state.Last = "e2", 4 })
			time.Sleep(time.Minute)
			r.stop()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				first := start(t, 1)
				first.grows(10)
				time.Sleep(look)
				another(t, first)
				first.log.change(func() { first.log.state.Epoch, first.log.state.Last, first.log.altered = "e1", 12, 5 })

				r := startOn(t, first.options, first.log, first.ledger)
				time.Sleep(3 * refusedEvery)
				if len(r.ledger.sizes()) != 2 || r.Report().Problem == "" || r.said.count("ERROR", "first 10 offsets") != 1 {
					t.Errorf("%v, %+v", r.ledger.sizes(), r.Report())
				}
				r.log.change(func() { r.log.altered = 0 })
				time.Sleep(refusedEvery)
				r.stop()
				e := r.ledger.entries[len(r.ledger.entries)-1]
				c, err := notary.Verify([]byte(e.Signed), r.options.Key.Verifier)
				if err != nil || c.Epoch != "e1" || c.Size != 12 || c.Root != naiveRoot(r.log.expected(12)) || r.Report().Problem != "" {
					t.Errorf("%+v, %v, %+v", c, err, r.Report())
				}
			})
		})
	}
}

func TestAReplicaThatIsBehindIsNotBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := start(t, 3)
		first.grows(10)
		time.Sleep(look)
		first.stop()
		first.log.change(func() { first.log.behind, first.log.lost[10] = 3, 3 })
		r := startOn(t, first.options, first.log, first.ledger)
		r.grows(5)
		time.Sleep(20 * time.Second)
		r.stop()
		if got := r.ledger.sizes(); !slices.Equal(got, []uint64{10, 15}) || r.said.count("ERROR") != 0 {
			t.Errorf("%v: %s", got, r.said.text.String())
		}
		checkChain(t, r.ledger.entries, r.log.expected(15), r.options)
	})
}

func TestWhatIsLostMustBeLostAtEachReading(t *testing.T) {
	for replicas, readings := range map[int]int{1: 2, 3: confirmations} {
		synctest.Test(t, func(t *testing.T) {
			r := start(t, replicas)
			r.log.lost[3], r.log.lost[5] = readings-1, 1<<30
			r.grows(10)
			time.Sleep(20 * time.Second)
			r.stop()
			leaves := r.log.expected(10)
			leaves[4] = notary.NoLeaf()
			checkChain(t, r.ledger.entries, leaves, r.options)
			if r.log.readings != readings || r.said.count("WARN", "holds nothing intact", "count=1") != 1 {
				t.Errorf("%d readings: %s", r.log.readings, r.said.text.String())
			}
		})
	}
}
