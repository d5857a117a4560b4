package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/config/command"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/notary"
	"github.com/tidemark-chat/tidemark/streams/replay"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// stand is a real log with a notary that signs when the test says so.
type stand struct {
	t    *testing.T
	url  string
	js   jetstream.JetStream
	key  notary.Key
	pub  string // path of the public key
	tree notary.Tree
	last notary.Entry
	dir  string // of the test
}

// newStand is a log without events. They can be deleted, which a real log denies.
func newStand(t *testing.T) *stand {
	t.Helper()
	server := logtest.Start(t)
	s := &stand{t: t, url: server.URL(), js: server.Connect(), dir: t.TempDir()}
	t.Setenv("TIDEMARK_DATA_DIR", filepath.Join(s.dir, "none"))
	_, err := s.js.CreateStream(t.Context(), jetstream.StreamConfig{Name: eventlog.StreamName, Subjects: []string{subject.All}, AllowDirect: true})
	s.must(err)
	s.must(notary.Provision(t.Context(), s.js, 1, slog.New(slog.DiscardHandler)))
	s.key, err = notary.EnsureKey(filepath.Join(s.dir, "notary.key"), "tidemark")
	s.must(err)
	s.pub = filepath.Join(s.dir, "notary.pub")
	return s
}

func (s *stand) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// path is a file of the test.
func (s *stand) path(name string) string { return filepath.Join(s.dir, name) }

// say stores a message of alice to the room general.
func (s *stand) say(content string) uint64 {
	s.t.Helper()
	e := logtest.Message(s.t, "general", content)
	e.Sender, e.SenderName = "a1", "alice"
	e.Seal()
	return logtest.Publish(s.t, s.js, e)
}

// tell stores a direct message.
func (s *stand) tell(from, name, to, content string) uint64 {
	s.t.Helper()
	e := logtest.Message(s.t, "x", content)
	e.Conversation = subject.Conversation{Kind: subject.DM, Name: subject.PairName(from, to)}
	e.Sender, e.SenderName, e.Recipient = from, name, to
	e.Seal()
	return logtest.Publish(s.t, s.js, e)
}

// damage stores a message that is not what was sealed.
func (s *stand) damage() uint64 {
	s.t.Helper()
	e := logtest.Message(s.t, "general", "sealed")
	m := e.Encode()
	m.Data = []byte("stored\x1b")
	ack, err := s.js.PublishMsg(s.t.Context(), m)
	s.must(err)
	return ack.Sequence
}

func (s *stand) remove(offset uint64) {
	s.t.Helper()
	stream, err := s.js.Stream(s.t.Context(), eventlog.StreamName)
	s.must(err)
	s.must(stream.DeleteMsg(s.t.Context(), offset))
}

func (s *stand) state() eventlog.State {
	s.t.Helper()
	state, err := eventlog.Open(s.js).State(s.t.Context())
	s.must(err)
	return state
}

// sign signs the log as it is.
func (s *stand) sign() {
	s.t.Helper()
	state := s.state()
	var leaves []tlog.Hash
	_, err := replay.Log(s.t.Context(), s.js, s.tree.Size(), state.Last, func(r replay.Record) error {
		for range r.Missing {
			leaves = append(leaves, notary.NoLeaf())
		}
		leaf := notary.NoLeaf()
		if e, err := r.Event(); err == nil {
			leaf = notary.Leaf(&e)
		}
		leaves = append(leaves, leaf)
		return nil
	})
	s.must(err)
	s.signLeaves(state.Epoch, leaves)
}

func (s *stand) signLeaves(epoch string, leaves []tlog.Hash) {
	s.t.Helper()
	e, err := notary.MakeEntry(s.last, &s.tree, leaves, epoch, time.Now(), s.key)
	s.must(err)
	s.must(notary.OpenAudit(s.js).Append(context.Background(), s.last.Sequence, &e))
	s.last = e
}

// forked is a checkpoint of another log with the same epoch, signed by the same key.
func (s *stand) forked(size int) string {
	s.t.Helper()
	var tree notary.Tree
	e, err := notary.MakeEntry(notary.Entry{}, &tree, someLeaves(size), s.state().Epoch, time.Now(), s.key)
	s.must(err)
	return s.file("forked", e.Signed)
}

// someLeaves are leaves of messages that were never said.
func someLeaves(n int) []tlog.Hash {
	leaves := make([]tlog.Hash, n)
	for i := range leaves {
		e := event.NewPosted("x", subject.General, "never said")
		leaves[i] = notary.Leaf(&e)
	}
	return leaves
}

func (s *stand) file(name, content string) string {
	s.t.Helper()
	s.must(os.WriteFile(s.path(name), []byte(content), 0o600))
	return s.path(name)
}

func (s *stand) read(name string) string {
	s.t.Helper()
	content, err := os.ReadFile(s.path(name))
	s.must(err)
	return string(content)
}

// auditor runs the command as a process would.
func (s *stand) auditor(args ...string) outcome { return auditor(s.t, s.url, "", args...) }

// auditor runs the command as a process would, with a text on standard input. It is for one test at a time.
func auditor(t *testing.T, url, stdin string, args ...string) outcome {
	t.Helper()
	t.Setenv("TIDEMARK_NATS_URL", url)
	stdout, stderr := new(stream), new(stream)
	in, err := os.CreateTemp(t.TempDir(), "stdin")
	if err == nil {
		_, err = in.WriteString(stdin)
	}
	if err == nil {
		_, err = in.Seek(0, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	oldArgs, oldIn, oldOut, oldErr := os.Args, os.Stdin, os.Stdout, os.Stderr
	defer func() { os.Args, os.Stdin, os.Stdout, os.Stderr = oldArgs, oldIn, oldOut, oldErr }()
	os.Args, os.Stdin, os.Stdout, os.Stderr = append([]string{"auditor"}, args...), in, stdout.pipe(t), stderr.pipe(t)
	code := command.Main(service())
	os.Stdout.Close()
	os.Stderr.Close()
	return outcome{code, stdout.wait(), stderr.wait()}
}

// want checks an outcome's code, and that both outputs together hold some texts.
func (o outcome) want(t *testing.T, code int, texts ...string) {
	t.Helper()
	if o.code != code {
		t.Errorf("exit code %d, want %d\n%s%s", o.code, code, o.stdout, o.stderr)
	}
	for _, text := range texts {
		if !strings.Contains(o.stdout+o.stderr, text) {
			t.Errorf("it does not say %q:\n%s%s", text, o.stdout, o.stderr)
		}
	}
	if strings.Contains(o.stdout+o.stderr, "\x1b") {
		t.Errorf("it writes an escape: %q", o.stdout+o.stderr)
	}
}
