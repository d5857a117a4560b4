package notary_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/tidemark-chat/tidemark/streams/embedded"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

// TestWhatIsNoEntryIsNamedAndGoneOnBehind lets somebody else write into the stream.
func TestWhatIsNoEntryIsNamedAndGoneOnBehind(t *testing.T) {
	d := open(t)
	d.write(2, 3)
	put := func(subject, body string, header nats.Header) {
		t.Helper()
		ack, err := d.js.PublishMsg(ctx, &nats.Msg{Subject: subject, Data: []byte(body), Header: header})
		if err != nil {
			t.Fatal(err)
		}
		last, err := d.audit.Last(ctx)
		if !fault.Is(err, fault.Corrupt) || last.Sequence != ack.Sequence || last.Size != 0 {
			t.Errorf("the last is %+v, %v", last, err)
		}
	}
	put("audit.checkpoint", "{}", nil)                                                 // 3
	put("audit.else", "x", nil)                                                        // 4
	put("audit.checkpoint", "", nats.Header{"Status": {"404"}})                        // 5
	put("audit.checkpoint", "x", nats.Header{"Nats-Sequence": {"9"}})                  // 6
	put("audit.checkpoint", "x", nats.Header{"Nats-Sequence": {"x"}, "A": {"\u202e"}}) // 7
	previous, err := d.audit.Last(ctx)
	if err == nil {
		t.Fatalf("%+v", previous)
	}
	d.begin()
	e := d.make(5)
	if err := d.audit.Append(ctx, previous.Sequence, &e); err != nil { // 8
		t.Fatal(err)
	}
	d.last = e
	d.write(2) // 9
	good, bad := d.entries()
	if len(good) != 4 || good[2].Sequence != 8 || good[3].Sequence != 9 || fmt.Sprint(bad) != "[3 4 5 6 7]" {
		t.Errorf("%d entries, bad %v", len(good), bad)
	}
	if tree, _, err := d.audit.Resume(ctx, d.last, d.verifier); err != nil || rootOf(t, tree) != naive(numbers(7)) {
		t.Errorf("%v", err)
	}
}

// TestAForgedEntryIsNamed lets somebody write entries that are well made and do not follow.
func TestAForgedEntryIsNamed(t *testing.T) {
	d := open(t)
	d.write(2, 3)
	behind := *d
	behind.tree = &notary.Tree{}
	add(t, behind.tree, numbers(4)...)
	behind.last.Signed = string(sign(t, notary.Checkpoint{Size: 4, Root: rootOf(t, behind.tree), Epoch: "e", Time: someTime}, d.signer))
	e := behind.make(6)
	if err := d.audit.Append(ctx, 2, &e); err != nil {
		t.Fatal(err)
	}
	good, bad := d.entries()
	if len(good) != 2 || fmt.Sprint(bad) != "[3]" {
		t.Errorf("%d entries, bad %v", len(good), bad)
	}
	if _, err := d.audit.Hashes(ctx, e).ReadHashes([]int64{0}); !fault.Is(err, fault.Corrupt) {
		t.Errorf("hashes of the tree before: %v", err)
	}
}

// TestAFlippedBitIsAHole edits the stream's file while the server is down; the server then leaves that message out.
func TestAFlippedBitIsAHole(t *testing.T) {
	dir := t.TempDir()
	var server *embedded.Server
	start := func() *desk {
		t.Helper()
		var err error
		if server, err = embedded.Start(embedded.Config{Dir: dir}); err != nil {
			t.Fatal(err)
		}
		nc, js, err := eventlog.Connect("", "test", quiet, server.InProcess())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		return sit(t, js)
	}
	d := start()
	t.Cleanup(func() { server.Stop() })
	d.write(3, 1, 4, 1, 5, 9, 2, 6)
	all, _ := d.entries()
	server.Stop()
	flip(t, dir, []byte(`"from":9,"size":14`))

	verifier := d.verifier
	d = start()
	good, bad := d.entries()
	if len(good) != 7 || fmt.Sprint(bad) != "[5]" {
		t.Errorf("%d entries, bad %v", len(good), bad)
	}
	for e, err := range d.audit.Entries(ctx) {
		if e.Sequence == 5 && !fault.Is(err, fault.Corrupt) {
			t.Errorf("entry 5: %v", err)
		}
	}
	// What the hole does not hold can be proven still.
	last, err := d.audit.Last(ctx)
	if err != nil || last.Size != 31 {
		t.Fatalf("%+v, %v", last, err)
	}
	hashes := d.audit.Hashes(ctx, last)
	if leaf, err := notary.LeafAt(hashes, 31); err != nil || leaf != numbers(31)[30] {
		t.Errorf("the last leaf: %v, %v", leaf, err)
	}
	if _, err := notary.LeafAt(hashes, 10); !fault.Is(err, fault.Corrupt) {
		t.Errorf("a leaf in the hole: %v", err)
	}
	if _, err := notary.Verify([]byte(all[4].Signed), verifier); err != nil {
		t.Error(err)
	}
}

// flip flips a bit within what comes in one of the files of a directory.
func flip(t *testing.T, dir string, what []byte) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "jetstream", "*", "streams", notary.StreamName, "msgs", "*.blk"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if at := bytes.Index(content, what); at >= 0 {
			content[at+len(what)-1] ^= 1
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("%q is in none of %v", what, paths)
}

// TestAnAnswerCutShortIsNotTheEnd ends the reading at any moment: then it says so, and says nothing wrong before.
func TestAnAnswerCutShortIsNotTheEnd(t *testing.T) {
	d := open(t)
	d.write(slices.Repeat([]int{20}, 60)...)
	for n := range 60 {
		short, cancel := context.WithCancel(ctx)
		seen := uint64(0)
		var failed error
		for e, err := range d.audit.Entries(short) {
			if failed != nil {
				t.Fatalf("it goes on after %v", failed)
			}
			if failed = err; err != nil {
				continue
			}
			if seen++; e.Sequence != seen {
				t.Fatalf("entry %d comes as the %dth", e.Sequence, seen)
			}
			if seen == uint64(n) {
				cancel()
			}
		}
		cancel()
		if failed == nil && seen != 60 || failed != nil && !(fault.Is(failed, fault.Temporary) && errors.Is(failed, context.Canceled)) {
			t.Errorf("canceled at %d: %d entries, %v", n, seen, failed)
		}
	}
}
