package notary_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

func TestThereIsNoneBeforeTheFirst(t *testing.T) {
	js := logtest.Start(t).Connect()
	audit := notary.OpenAudit(js)
	none := func(when string) {
		t.Helper()
		if _, err := audit.Last(ctx); !errors.Is(err, notary.ErrNone) {
			t.Errorf("%s: Last: %v", when, err)
		}
		if _, err := audit.At(ctx, 9); !errors.Is(err, notary.ErrNone) {
			t.Errorf("%s: At: %v", when, err)
		}
		for e, err := range audit.Entries(ctx) {
			t.Errorf("%s: %+v, %v", when, e, err)
		}
	}
	none("without a stream")
	if err := notary.Provision(ctx, js, 1, quiet); err != nil {
		t.Fatal(err)
	}
	none("without an entry")
}

func TestEntriesAreReadAsTheyWereAppended(t *testing.T) {
	d := open(t)
	var want []notary.Entry
	for i := range 300 { // more than are read at once
		if i == 100 || i == 101 {
			d.begin()
		}
		d.write(1 + i%5)
		want = append(want, d.last)
	}
	d.write(notary.MaxLeaves)
	want = append(want, d.last)
	got, bad := d.entries()
	if fmt.Sprint(got) != fmt.Sprint(want) || len(bad) > 0 {
		t.Errorf("%d entries, bad %v", len(got), bad)
	}
	if got[99].Began != 1 || got[100].Began != 101 || got[101].Began != 102 || got[300].Began != 102 || got[300].Sequence != 301 {
		t.Errorf("trees began at %d, %d, %d, %d", got[99].Began, got[100].Began, got[101].Began, got[300].Began)
	}
	if last, err := d.audit.Last(ctx); err != nil || fmt.Sprint(last) != fmt.Sprint(d.last) {
		t.Errorf("last is %d, %v", last.Sequence, err)
	}
	for range d.audit.Entries(ctx) {
		break // who has seen enough may go
	}
}

func TestAtIsTheNewestThatIsNotLarger(t *testing.T) {
	d := open(t)
	d.write(5, 5, 5)
	d.begin()
	d.write(3, 1, 4, 1, 5, 9) // sizes 3, 4, 8, 9, 14, 23
	for size, want := range map[uint64]uint64{3: 3, 4: 4, 5: 4, 7: 4, 8: 8, 9: 9, 13: 9, 14: 14, 22: 14, 23: 23, 24: 23, 1 << 63: 23} {
		e, err := d.audit.At(ctx, size)
		if err != nil || e.Size != want || e.Began != 4 {
			t.Errorf("At(%d) is of size %d of tree %d, %v; want %d", size, e.Size, e.Began, err, want)
		}
	}
	for size := range uint64(3) {
		if e, err := d.audit.At(ctx, size); !errors.Is(err, notary.ErrNone) {
			t.Errorf("At(%d) is %+v, %v", size, e, err)
		}
	}
}

func TestWhatIsNoEntryIsNotAppended(t *testing.T) {
	d := open(t)
	d.write(5)
	good := d.make(3)
	for name, change := range map[string]func(e *notary.Entry){
		"empty":       func(e *notary.Entry) { *e = notary.Entry{} },
		"no hashes":   func(e *notary.Entry) { e.Hashes = nil },
		"other size":  func(e *notary.Entry) { e.Size++ },
		"tree begun":  func(e *notary.Entry) { e.Began = 0 },
		"tree to be":  func(e *notary.Entry) { e.Began = 2 },
		"not a note":  func(e *notary.Entry) { e.Signed = "x" },
		"size of all": func(e *notary.Entry) { e.From = 0 },
	} {
		e := good
		change(&e)
		was := e
		if err := d.audit.Append(ctx, 1, &e); !fault.Is(err, fault.Permanent) || fmt.Sprint(e) != fmt.Sprint(was) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if last, err := d.audit.Last(ctx); err != nil || last.Sequence != 1 {
		t.Errorf("last is %d, %v", last.Sequence, err)
	}
}

func TestOfTwoNotariesOneIsFenced(t *testing.T) {
	d := open(t)
	for i := range 3 {
		previous, tree := d.last, *d.tree
		e := d.make(2)
		if err := d.audit.Append(ctx, previous.Sequence, &e); err != nil {
			t.Fatal(err)
		}
		*d.tree = tree
		other := d.make(3) // that of another notary who has read the same last entry
		was := fmt.Sprint(other)
		err := d.audit.Append(ctx, previous.Sequence, &other)
		if !errors.Is(err, notary.ErrFenced) || !fault.Is(err, fault.Temporary) || fmt.Sprint(other) != was {
			t.Errorf("entry %d again: %v", i+1, err)
		}
		if err := d.audit.Append(ctx, e.Sequence+1, &other); err == nil {
			t.Errorf("behind what is not there: %v", err)
		}
		if d.last, err = d.audit.Last(ctx); err != nil || fmt.Sprint(d.last) != fmt.Sprint(e) {
			t.Errorf("last is %+v, %v", d.last, err)
		}
		if err = d.resume(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestManyNotariesMakeOneChain lets several notaries write at once, each of which begins again whenever it is fenced.
func TestManyNotariesMakeOneChain(t *testing.T) {
	const notaries, until = 4, 60
	server := logtest.Start(t)
	first := sit(t, server.Connect())
	first.write(1)
	var all sync.WaitGroup
	for i := range notaries {
		d := *first
		d.audit = notary.OpenAudit(server.Connect())
		all.Go(func() {
			for d.last.Sequence < until {
				var err error
				if d.last, err = d.audit.Last(ctx); err != nil {
					t.Error(err)
					return
				}
				if err = d.resume(); err != nil {
					t.Error(err)
					return
				}
				leaves := numbers(int(d.last.Size) + 1 + i)[d.last.Size:]
				e, err := notary.MakeEntry(d.last, d.tree, leaves, d.epoch, time.Now(), d.signer)
				if err != nil {
					t.Error(err)
					return
				}
				if err := d.audit.Append(ctx, d.last.Sequence, &e); err != nil && !errors.Is(err, notary.ErrFenced) {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	good, bad := first.entries()
	if len(bad) > 0 || len(good) < until {
		t.Fatalf("%d entries, bad %v", len(good), bad)
	}
	var tree notary.Tree
	for _, e := range good {
		if _, err := tree.Grow(e.Leaves()); err != nil || rootOf(t, &tree) != first.root(e) {
			t.Fatalf("entry %d does not go on the tree (%v)", e.Sequence, err)
		}
	}
}

func TestARestartOfTheServerLosesNothing(t *testing.T) {
	server := logtest.Start(t)
	d := sit(t, server.Connect())
	d.write(3, 4, 5)
	server.Stop()
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	e := d.make(2)
	if err := d.audit.Append(short, d.last.Sequence, &e); !fault.Is(err, fault.Temporary) || e.Sequence != 0 {
		t.Errorf("append without a server: %v", err)
	}
	if _, err := d.audit.Last(short); !fault.Is(err, fault.Temporary) {
		t.Errorf("last without a server: %v", err)
	}
	for got, err := range d.audit.Entries(short) {
		if !fault.Is(err, fault.Temporary) {
			t.Errorf("entries without a server: %+v, %v", got, err)
		}
	}
	server.Restart()
	d.audit = notary.OpenAudit(server.Connect())
	last, err := d.audit.Last(ctx)
	if err != nil || fmt.Sprint(last) != fmt.Sprint(d.last) {
		t.Fatalf("last is %+v, %v", last, err)
	}
	if err := d.resume(); err != nil {
		t.Fatal(err)
	}
	d.write(7)
	if good, bad := d.entries(); len(good) != 4 || len(bad) > 0 {
		t.Errorf("%d entries, bad %v", len(good), bad)
	}
}

func TestNothingLeavesTheStream(t *testing.T) {
	d := open(t)
	d.write(1, 1)
	stream, err := d.js.Stream(ctx, notary.StreamName)
	if err != nil {
		t.Fatal(err)
	}
	config := stream.CachedInfo().Config
	config.DenyPurge, config.DenyDelete = false, false
	_, updated := d.js.UpdateStream(ctx, config)
	for name, err := range map[string]error{
		"delete": stream.DeleteMsg(ctx, 1), "secure delete": stream.SecureDeleteMsg(ctx, 1),
		"purge": stream.Purge(ctx), "purge of one": stream.Purge(ctx, jetstream.WithPurgeSequence(2)), "allowing it": updated,
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if good, bad := d.entries(); len(good) != 2 || len(bad) > 0 {
		t.Errorf("%d entries, bad %v", len(good), bad)
	}
}
