// Package prooftest gives tests a log with its tree in memory, in which nothing is left to chance, and a key that signs it.
package prooftest

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

// A key made for tests.
const (
	SecretKey = "PRIVATE+KEY+tidemark+fc844076+AUb9qOD9yJEen22D4wEpAAwkZPTQU4uYwRhigugc/C54"
	PublicKey = "tidemark+fc844076+AbUySmSpE8g8SdxPsUcGnR0RIleReUI8hwQOBT0xcFQA"
)

// Epoch is the log's.
const Epoch = "epoch-1"

// Keys are both halves of the key.
func Keys(t testing.TB) (note.Signer, note.Verifier) {
	t.Helper()
	signer, err := note.NewSigner(SecretKey)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return signer, verifier
}

// Message is a guest's message to the room general, with all that offset and content decide.
func Message(offset uint64, content string) event.Event {
	e := event.NewPosted("", subject.General, content)
	e.SenderName = "Ann"
	e.Scope, e.Key = event.Scope("guest", subject.General), fmt.Sprintf("k%d", offset)
	return At(offset, e)
}

// At is an event as the log has it at an offset.
func At(offset uint64, e event.Event) event.Event {
	e.Offset, e.ID = offset, fmt.Sprintf("01930000-0000-7000-8000-%012d", offset)
	e.At = time.Date(2026, 11, 21, 23, 59, 58, 123456789, time.UTC).Add(time.Duration(offset) * time.Second)
	e.Seal()
	return e
}

// Many are the contents of n messages.
func Many(n int) []string {
	contents := make([]string, n)
	for i := range contents {
		contents[i] = fmt.Sprintf("message %d", i+1)
	}
	return contents
}

// Log is a log. It implements tlog.HashReader.
type Log struct {
	Events []record.Record
	Hashes []tlog.Hash // stored

	t    testing.TB
	tree notary.Tree
}

// Write begins a log with messages.
func Write(t testing.TB, contents ...string) *Log {
	t.Helper()
	l := &Log{t: t}
	for _, content := range contents {
		l.Say(content)
	}
	return l
}

// Say adds a message.
func (l *Log) Say(content string) { l.Append(Message(l.tree.Size()+1, content)) }

// Append adds an event; it gets its offset and all that follows from that.
func (l *Log) Append(e event.Event) { l.store(At(l.tree.Size()+1, e)) }

// Again adds the event of an offset once more, id and all. With a content it becomes another one under the same key.
func (l *Log) Again(offset uint64, content string) {
	l.t.Helper()
	e, err := l.Events[offset-1].Event()
	if err != nil {
		l.t.Fatal(err)
	}
	at := At(l.tree.Size()+1, e)
	e.Offset, e.At = at.Offset, at.At
	if content != "" {
		e.Content = content
		e.Seal()
	}
	l.store(e)
}

func (l *Log) store(e event.Event) {
	l.t.Helper()
	hashes, err := l.tree.Append(notary.Leaf(&e))
	if err != nil {
		l.t.Fatal(err)
	}
	l.Events, l.Hashes = append(l.Events, record.Of(&e)), append(l.Hashes, hashes...)
}

// ReadHashes implements tlog.HashReader.
func (l *Log) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		hashes[i] = l.Hashes[index]
	}
	return hashes, nil
}

// Sign is the checkpoint of the log as it is.
func (l *Log) Sign() proof.Signed { return l.SignAs(Epoch) }

// SignAs is the checkpoint of a log of another epoch.
func (l *Log) SignAs(epoch string) proof.Signed {
	l.t.Helper()
	signer, _ := Keys(l.t)
	root, err := l.tree.Root()
	if err != nil {
		l.t.Fatal(err)
	}
	at := time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC)
	signed, err := notary.Sign(notary.Checkpoint{Size: l.tree.Size(), Root: root, Epoch: epoch, Time: at}, signer)
	if err != nil {
		l.t.Fatal(err)
	}
	c, err := notary.Read(signed)
	if err != nil {
		l.t.Fatal(err)
	}
	return proof.Signed{Note: string(signed), Checkpoint: c}
}
