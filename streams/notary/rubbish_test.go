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
	"time"

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
	if err := d.resume(); err != nil || d.tree.Size() != 7 {
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
	if _, err := notary.LeafAt(d.audit.Hashes(ctx, e), 4); !fault.Is(err, fault.Corrupt) {
		t.Errorf("a leaf of the tree before: %v", err)
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
	flip(t, dir, []byte(`"from":8,"size":9`))

	verifier := d.verifier
	d = start()
	good, bad := d.entries()
	if len(good) != 7 || fmt.Sprint(bad) != "[4]" {
		t.Errorf("%d entries, bad %v", len(good), bad)
	}
	for e, err := range d.audit.Entries(ctx) {
		if e.Sequence == 4 && !fault.Is(err, fault.Corrupt) {
			t.Errorf("entry 4: %v", err)
		}
	}
	last, err := d.audit.Last(ctx)
	if err != nil || last.Size != 31 {
		t.Fatalf("%+v, %v", last, err)
	}
	hashes := d.audit.Hashes(ctx, last)
	for offset := uint64(1); offset <= 31; offset++ {
		leaf, err := notary.LeafAt(hashes, offset)
		if offset == 9 { // all that the hole held
			if !fault.Is(err, fault.Corrupt) {
				t.Errorf("the leaf in the hole: %v, %v", leaf, err)
			}
		} else if err != nil || leaf != numbers(31)[offset-1] {
			t.Errorf("leaf at offset %d: %v, %v", offset, leaf, err)
		}
	}
	for size, want := range map[uint64]uint64{8: 8, 9: 8, 13: 8, 14: 14} {
		if e, err := d.audit.At(ctx, size); err != nil || e.Size != want {
			t.Errorf("At(%d) is of size %d, %v", size, e.Size, err)
		}
	}
	if _, err := notary.Verify([]byte(all[3].Signed), verifier); err != nil {
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

// TestAnAnswerCutShortIsNotTheEnd lets the time be up at any moment of the reading, of several answers of the server: what was
// not read must not pass for what is not there.
func TestAnAnswerCutShortIsNotTheEnd(t *testing.T) {
	d := open(t)
	d.write(slices.Repeat([]int{1}, 300)...)
	whole, cut := 0, 0
	for wait := 50 * time.Microsecond; wait < 10*time.Second && whole == 0; wait += wait / 4 {
		short, cancel := context.WithTimeout(ctx, wait)
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
				t.Fatalf("entry %d comes as number %d", e.Sequence, seen)
			}
		}
		cancel()
		switch {
		case failed == nil && seen == 300:
			whole++
		case fault.Is(failed, fault.Temporary) && errors.Is(failed, context.DeadlineExceeded):
			cut++
		default:
			t.Errorf("after %v: %d entries, %v", wait, seen, failed)
		}
	}
	if whole == 0 || cut == 0 {
		t.Errorf("%d times all was read, %d times a part", whole, cut)
	}
}
