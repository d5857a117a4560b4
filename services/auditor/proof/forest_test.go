package proof_test

import (
	"fmt"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/services/auditor/proof"
	"github.com/tidemark-chat/tidemark/services/auditor/record"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/notary"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// Keys made for these tests.
const (
	secretKey = "PRIVATE+KEY+tidemark+fc844076+AUb9qOD9yJEen22D4wEpAAwkZPTQU4uYwRhigugc/C54"
	publicKey = "tidemark+fc844076+AbUySmSpE8g8SdxPsUcGnR0RIleReUI8hwQOBT0xcFQA"
)

func keys(t testing.TB) (note.Signer, note.Verifier) {
	t.Helper()
	signer, err := note.NewSigner(secretKey)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(publicKey)
	if err != nil {
		t.Fatal(err)
	}
	return signer, verifier
}

// message is the event at an offset of a log in which nothing is left to chance.
func message(offset uint64, content string) record.Record {
	e := event.NewPosted(fmt.Sprintf("01930000-0000-7000-8000-%012d", offset), subject.General, content)
	e.SenderName, e.Offset = "Ann", offset
	e.At = time.Date(2026, 11, 21, 17, 0, int(offset), 123456789, time.UTC)
	e.Scope, e.Key = event.Scope("guest", subject.General), fmt.Sprintf("k%d", offset)
	e.Seal()
	return record.Of(&e)
}

// chronicle is a log with its tree in memory.
type chronicle struct {
	t      testing.TB
	tree   notary.Tree
	events []record.Record
	hashes []tlog.Hash
}

func write(t testing.TB, contents ...string) *chronicle {
	t.Helper()
	c := &chronicle{t: t}
	c.append(contents...)
	return c
}

func (c *chronicle) append(contents ...string) {
	c.t.Helper()
	for _, content := range contents {
		r := message(c.tree.Size()+1, content)
		e, err := r.Event()
		if err != nil {
			c.t.Fatal(err)
		}
		hashes, err := c.tree.Append(notary.Leaf(&e))
		if err != nil {
			c.t.Fatal(err)
		}
		c.events, c.hashes = append(c.events, r), append(c.hashes, hashes...)
	}
}

// ReadHashes implements tlog.HashReader.
func (c *chronicle) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var hashes []tlog.Hash
	for _, i := range indexes {
		hashes = append(hashes, c.hashes[i])
	}
	return hashes, nil
}

// sign is the checkpoint of the log as it is.
func (c *chronicle) sign() proof.Signed { return c.signAs("epoch-1") }

func (c *chronicle) signAs(epoch string) proof.Signed {
	c.t.Helper()
	signer, _ := keys(c.t)
	root, err := c.tree.Root()
	if err != nil {
		c.t.Fatal(err)
	}
	at := time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC)
	checkpoint := notary.Checkpoint{Size: c.tree.Size(), Root: root, Epoch: epoch, Time: at}
	signed, err := notary.Sign(checkpoint, signer)
	if err != nil {
		c.t.Fatal(err)
	}
	if checkpoint, err = notary.Read(signed); err != nil {
		c.t.Fatal(err)
	}
	return proof.Signed{Note: string(signed), Checkpoint: checkpoint}
}

// many are the contents of n messages.
func many(n int) []string {
	contents := make([]string, n)
	for i := range contents {
		contents[i] = fmt.Sprintf("message %d", i+1)
	}
	return contents
}
