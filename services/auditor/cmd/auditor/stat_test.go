package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/services/auditor/stat"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/notary"
	"github.com/tidemark-chat/tidemark/streams/query"
)

func TestStatForPeople(t *testing.T) {
	s, _ := conversation(t)
	got := call(t, s.URL(), "stat")
	for _, want := range []string{
		"log        offsets 1 to 5, ", "events     5\n", "persister  it does not answer\n", "signed     none\n", "damaged    0\n", "missing    0\n",
		"  message.posted\n", "  user.registered\n", "  #general\n", "  #other\n", "  alice (a1), bob (b1)\n", "  alice (a1)\n", "  (guests)\n",
		time.Now().UTC().Format(time.DateOnly) + "  ███",
	} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("no %q in\n%s", want, got.stdout)
		}
	}
	if got.code != 0 || got.stderr != "" {
		t.Errorf("%+v", got)
	}
}

// statOf is what stat tells programs.
func statOf(t *testing.T, url string, args ...string) (r stat.Report) {
	t.Helper()
	got := call(t, url, append([]string{"stat", "--format=json"}, args...)...)
	if err := json.Unmarshal([]byte(got.stdout), &r); err != nil || got.code != 0 {
		t.Fatalf("%v, %+v", err, got)
	}
	return r
}

func TestStatForPrograms(t *testing.T) {
	s, _ := conversation(t)
	r := statOf(t, s.URL(), "--top=1")
	if r.Events != 5 || r.First.Offset != 1 || r.Last.Offset != 5 || r.Rooms.Count != 2 || len(r.Rooms.Top) != 1 || r.Senders.Top[0].Name != "alice" {
		t.Errorf("%+v", r)
	}
	if r := statOf(t, s.URL(), "--room=other"); r.Events != 1 || r.Senders.Guests.Events != 1 || r.Log.Last != 5 {
		t.Errorf("%+v", r)
	}
}

// answers is a persister that is so far.
type answers struct {
	query.Model
	checkpoint query.Checkpoint
}

func (a answers) Checkpoint(context.Context) (query.Checkpoint, error) { return a.checkpoint, nil }

func TestStatTellsHowFarOthersAre(t *testing.T) {
	s, js := conversation(t)
	state, err := eventlog.Open(js).State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at := state.Began
	serve(t, js, query.Checkpoint{Offset: 3, At: at, Epoch: state.Epoch})
	signed := sign(t, js, 4, state.Epoch)
	r := statOf(t, s.URL())
	if p := r.ReadModel; !p.Known || p.Offset != 3 || p.Behind != 2 || !p.At.Equal(at) {
		t.Errorf("persister %+v", p)
	}
	if p := r.Signed; !p.Known || p.Offset != 4 || p.Behind != 1 || !p.At.Equal(signed) {
		t.Errorf("signed %+v", p)
	}
}

func TestStatOfWhoIsWithAnotherLog(t *testing.T) {
	s, js := conversation(t)
	serve(t, js, query.Checkpoint{Offset: 3, Epoch: "another"})
	sign(t, js, 4, "another")
	r := statOf(t, s.URL())
	if r.ReadModel.Known || !strings.Contains(r.ReadModel.Reason, "another log") || r.Signed.Known || !strings.Contains(r.Signed.Reason, "another log") {
		t.Errorf("%+v, %+v", r.ReadModel, r.Signed)
	}
}

// serve answers as a persister does.
func serve(t *testing.T, js jetstream.JetStream, c query.Checkpoint) {
	t.Helper()
	service, err := query.Serve(js.Conn(), answers{checkpoint: c}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = service.Stop() })
	if err := js.Conn().Flush(); err != nil {
		t.Fatal(err)
	}
}

// sign makes a signed checkpoint of so many offsets, and tells when.
func sign(t *testing.T, js jetstream.JetStream, size int, epoch string) time.Time {
	t.Helper()
	key, _, err := notary.GenerateKey("tidemark-test")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now().Truncate(time.Second)
	entry, err := notary.MakeEntry(notary.Entry{}, &notary.Tree{}, make([]tlog.Hash, size), epoch, at, signer)
	if err != nil {
		t.Fatal(err)
	}
	if err := notary.Provision(t.Context(), js, 1, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if err := notary.OpenAudit(js).Append(t.Context(), 0, &entry); err != nil {
		t.Fatal(err)
	}
	return at
}

func TestStatOfALogThatIsNotWhole(t *testing.T) {
	s := logtest.Start(t)
	js := s.Connect()
	chat, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: eventlog.StreamName, Subjects: []string{"chat.>"}, AllowDirect: true})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		logtest.Publish(t, js, logtest.Message(t, "general", "hello"))
	}
	if err := chat.DeleteMsg(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	got := call(t, s.URL(), "stat")
	if got.code != 1 || !strings.Contains(got.stdout, "missing    1\n") || got.stderr != "auditor: the log is not whole\n" {
		t.Errorf("%+v", got)
	}
}
