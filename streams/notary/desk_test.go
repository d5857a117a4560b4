package notary_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

var (
	ctx   = context.Background()
	quiet = slog.New(slog.DiscardHandler)
)

// desk is a notary that writes into a stream.
type desk struct {
	t        testing.TB
	js       jetstream.JetStream
	audit    *notary.Audit
	signer   note.Signer
	verifier note.Verifier
	epoch    string
	last     notary.Entry
	tree     *notary.Tree
}

// sit makes a notary at a provisioned stream.
func sit(t testing.TB, js jetstream.JetStream) *desk {
	t.Helper()
	if err := notary.Provision(ctx, js, 1, quiet); err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, js: js, audit: notary.OpenAudit(js), epoch: "e", tree: &notary.Tree{}}
	d.signer, d.verifier = key(t, "tidemark")
	return d
}

// open is a notary at a stream and a server of the test's own.
func open(t testing.TB) *desk {
	t.Helper()
	return sit(t, logtest.Start(t).Connect())
}

// make is the entry of the next n leaves, as numbers gives them.
func (d *desk) make(n int) notary.Entry {
	d.t.Helper()
	leaves := numbers(int(d.tree.Size()) + n)[d.tree.Size():]
	e, err := notary.MakeEntry(d.last, d.tree, leaves, d.epoch, time.Now(), d.signer)
	if err != nil {
		d.t.Fatal(err)
	}
	return e
}

// write appends an entry of so many leaves for each of sizes.
func (d *desk) write(sizes ...int) {
	d.t.Helper()
	for _, n := range sizes {
		e := d.make(n)
		if err := d.audit.Append(ctx, d.last.Sequence, &e); err != nil {
			d.t.Fatal(err)
		}
		d.last = e
	}
}

// begin makes the next entry begin another tree.
func (d *desk) begin() { d.tree = &notary.Tree{} }

// entries are those that the stream has, and at which sequences it has none.
func (d *desk) entries() (good []notary.Entry, bad []uint64) {
	d.t.Helper()
	for e, err := range d.audit.Entries(ctx) {
		if err != nil {
			bad = append(bad, e.Sequence)
		} else {
			good = append(good, e)
		}
	}
	return good, bad
}

// root is the signed one of an entry.
func (d *desk) root(e notary.Entry) tlog.Hash {
	d.t.Helper()
	c, err := notary.Verify([]byte(e.Signed), d.verifier)
	if err != nil {
		d.t.Fatal(err)
	}
	return c.Root
}

// resume makes the tree of the last entry of what the stream has.
func (d *desk) resume() error {
	tree, err := notary.Resume(d.last.Size, d.audit.Hashes(ctx, d.last))
	if err != nil {
		return err
	}
	root, err := tree.Root()
	if err == nil && root != d.root(d.last) {
		err = fmt.Errorf("the root of %d is not the signed one", d.last.Size)
	}
	d.tree = tree
	return err
}
