package logview

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/notary"
	"github.com/tidemark-chat/tidemark/streams/query"
)

// statusOf waits for the next message of a name.
func statusOf[T any](t *testing.T, s *stream, name string) (value T) {
	t.Helper()
	for {
		m, ok := s.next()
		if !ok {
			t.Fatalf("the stream ended without %q", name)
		}
		if m.event == name {
			if err := json.Unmarshal([]byte(m.data), &value); err != nil {
				t.Fatal(err)
			}
			return value
		}
	}
}

func TestAViewerIsToldHowFarTheReadModelIs(t *testing.T) {
	w := newWorld(t, nil)
	w.apply(10)
	at := time.Unix(7, 0).UTC()
	w.model = func() (query.Checkpoint, error) { return query.Checkpoint{Offset: 7, At: at, Epoch: "e1"}, nil }
	got := statusOf[persister](t, w.watch(nil, ""), "persister")
	if got.Offset != 7 || got.Lag != 3 || got.Epoch != "e1" || got.At == nil || !got.At.Equal(at) || got.Error != "" {
		t.Errorf("%+v", got)
	}
}

func TestAReadModelThatIsAwayIsSaidToBeInPlainWords(t *testing.T) {
	w := newWorld(t, nil)
	if got := statusOf[persister](t, w.watch(nil, ""), "persister"); got.Error != "the read model does not answer" {
		t.Errorf("%+v", got)
	}
}

// entry is one of a log of so many events, and the key it is signed by.
func entry(t *testing.T, size int) (e notary.Entry, public string) {
	t.Helper()
	secret, public, err := notary.GenerateKey("harbour")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	e, err = notary.MakeEntry(notary.Entry{}, &notary.Tree{}, make([]tlog.Hash, size), "e1", time.Unix(100, 0), signer)
	if err != nil {
		t.Fatal(err)
	}
	return e, public
}

func TestAViewerIsToldTheLatestSignedCheckpoint(t *testing.T) {
	w := newWorld(t, nil)
	e, public := entry(t, 5)
	w.audit = func() (notary.Entry, error) { return e, nil }
	got := statusOf[checkpoint](t, w.watch(nil, ""), "checkpoint")
	want, err := e.Checkpoint()
	if err != nil {
		t.Fatal(err)
	}
	if got.Size != 5 || got.Root != want.Root.String() || got.Origin != "harbour" || got.Epoch != "e1" || got.At.Unix() != 100 || got.None || got.Error != "" {
		t.Errorf("%+v", got)
	}
	if !strings.HasPrefix(public, got.Key+"+") {
		t.Errorf("names the key %q of %q", got.Key, public)
	}
}

func TestWithoutACheckpointAViewerIsToldWhy(t *testing.T) {
	for want, err := range map[string]error{
		"":                            notary.ErrNone,
		"stream AUDIT cannot be read": errors.New("no right to"),
		"the newest message of stream AUDIT is no checkpoint": fault.New("read", fault.Corrupt, errors.New("rubbish")),
	} {
		w := newWorld(t, nil)
		w.audit = func() (notary.Entry, error) { return notary.Entry{}, err }
		if got := statusOf[checkpoint](t, w.watch(nil, ""), "checkpoint"); got.Error != want || got.None != (want == "") || got.Size != 0 {
			t.Errorf("%v is told as %+v", err, got)
		}
	}
}

func TestARightThatIsMissingIsNotAskedForEverySecond(t *testing.T) {
	w := newWorld(t, nil)
	asked := make(chan struct{}, 10)
	w.audit = func() (notary.Entry, error) { asked <- struct{}{}; return notary.Entry{}, errors.New("no right to") }
	s := w.watch(nil, "")
	statusOf[checkpoint](t, s, "checkpoint")
	for range 3 { // of which each comes once in a round
		statusOf[persister](t, s, "persister")
	}
	if n := len(asked); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// frames are what waits for a viewer, as text.
func frames(x *viewer) string {
	var all strings.Builder
	for _, f := range x.take() {
		all.Write(f)
	}
	return all.String()
}

func TestWhoComesAndGoesDoesNotMakeItAskMoreOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		var audited, asked atomic.Int64
		w.audit = func() (notary.Entry, error) { audited.Add(1); return notary.Entry{}, errors.New("no right to") }
		w.model = func() (query.Checkpoint, error) { asked.Add(1); return query.Checkpoint{}, nil }
		comeAndGo := func() (last string) {
			for range 20 {
				x, err := w.view.join(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				last = frames(x)
				w.view.leave(x)
				synctest.Wait()
			}
			return last
		}
		comeAndGo()
		if asked.Load() != 1 || audited.Load() != 1 {
			t.Errorf("at once the read model was asked %d times, stream AUDIT %d times", asked.Load(), audited.Load())
		}
		time.Sleep(pollInterval)
		last := comeAndGo()
		if asked.Load() != 2 || audited.Load() != 1 {
			t.Errorf("after a second the read model was asked %d times, stream AUDIT %d times", asked.Load(), audited.Load())
		}
		if !strings.Contains(last, "stream AUDIT cannot be read") {
			t.Errorf("the last one is told %q", last)
		}
		time.Sleep(auditPause)
		if comeAndGo(); audited.Load() != 2 {
			t.Errorf("after half a minute stream AUDIT was asked %d times", audited.Load())
		}
	})
}

func TestWhatHangsIsToldOnceItFailsAlthoughWhoAskedHasGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		var audited atomic.Int64
		w.audit = func() (notary.Entry, error) {
			audited.Add(1)
			time.Sleep(askTimeout) // as for who lacks a right
			return notary.Entry{}, context.DeadlineExceeded
		}
		for range 10 {
			x, err := w.view.join(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			w.view.leave(x)
			time.Sleep(time.Second)
		}
		if n := audited.Load(); n < 1 || n > 3 { // once a second until the first has failed
			t.Errorf("asked %d times", n)
		}
		x, err := w.view.join(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer w.view.leave(x)
		if got := frames(x); !strings.Contains(got, "stream AUDIT cannot be read") {
			t.Errorf("who comes then is told %q", got)
		}
	})
}

func TestTheHeadIsToldEachSecondWhateverElseHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		hang := func() { time.Sleep(askTimeout) }
		w.model = func() (query.Checkpoint, error) { hang(); return query.Checkpoint{}, context.DeadlineExceeded }
		w.audit = func() (notary.Entry, error) { hang(); return notary.Entry{}, context.DeadlineExceeded }
		x, err := w.view.join(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer w.view.leave(x)
		for second := range 5 {
			synctest.Wait()
			if got := frames(x); !strings.Contains(got, "event: head") {
				t.Errorf("in second %d it is told %q", second, got)
			}
			time.Sleep(time.Second)
		}
	})
}

func TestTheKeyOfWhatIsNoNoteIsEmpty(t *testing.T) {
	for _, signed := range []string{"", "text\n\n— name", "text\n\n— name !!!\n", "text\n\n— name YQ==\n"} {
		if got := keyOf(signed); got != "" {
			t.Errorf("%q: %q", signed, got)
		}
	}
}
