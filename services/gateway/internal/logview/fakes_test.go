package logview

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/feed"
	"github.com/tidemark-chat/tidemark/streams/notary"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/subject"
	"github.com/tidemark-chat/tidemark/streams/tail"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a view over a tail, a log and a read model that a test fills.
type world struct {
	t    *testing.T
	tail *tail.Tail
	view *View
	// log holds what the tail does not; nil: it does not answer.
	log   map[uint64]event.Event
	asked chan struct{}       // each question to the read model, if a test wants to know
	read  func(offset uint64) // what reading from the log does first
	audit func() (notary.Entry, error)
	model func() (query.Checkpoint, error)
}

func newWorld(t *testing.T, change func(*Options)) *world {
	w := &world{t: t, tail: tail.New(1<<20, 0), log: map[uint64]event.Event{}}
	w.audit = func() (notary.Entry, error) { return notary.Entry{}, notary.ErrNone }
	w.model = func() (query.Checkpoint, error) { return query.Checkpoint{}, errors.New("nobody answers") }
	o := Options{
		Epoch: "e1", Tail: w.tail, Log: w, Model: w, Audit: auditOf{w}, Now: time.Now,
		Ends: func() (first, last uint64) { return 1, w.tail.Position() },
	}
	if change != nil {
		change(&o)
	}
	w.view = New(o)
	t.Cleanup(w.view.Close)
	return w
}

func (w *world) Get(_ context.Context, offset uint64) (event.Event, error) {
	if w.read != nil {
		w.read(offset)
	}
	e, ok := w.log[offset]
	switch {
	case !ok:
		return e, fault.New("read", fault.Temporary, errors.New("away"))
	case e.Type == "":
		return e, fault.New("read", fault.Corrupt, errors.New("damaged"))
	}
	return e, nil
}

func (w *world) Checkpoint(context.Context) (query.Checkpoint, error) {
	if w.asked != nil {
		select {
		case w.asked <- struct{}{}:
		default:
		}
	}
	return w.model()
}

type auditOf struct{ w *world }

func (a auditOf) Last(context.Context) (notary.Entry, error) { return a.w.audit() }

// message is the event of an offset, in a room.
func message(offset uint64, room string) event.Event {
	e := event.NewPosted("id", subject.Conversation{Kind: subject.Room, Name: room}, "secret words")
	e.Offset, e.At = offset, time.Unix(int64(offset), 0).UTC()
	e.Seal()
	return e
}

// apply brings messages up to an offset, as a feed would.
func (w *world) apply(through uint64) {
	for o := w.tail.Position() + 1; o <= through; o++ {
		e := message(o, "general")
		w.tail.Append(&e)
		w.view.Apply(feed.Record{Event: e})
	}
}

// message of a stream.
type received struct{ id, event, data string }

// stream is one viewer's.
type stream struct {
	t       *testing.T
	reader  *bufio.Reader
	request *http.Response
}

// watch begins to watch over HTTP.
func (w *world) watch(header http.Header, query string) *stream {
	w.t.Helper()
	server := httptest.NewServer(w.view)
	w.t.Cleanup(server.Close)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	w.t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+query, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	for name, values := range header {
		r.Header[name] = values
	}
	transport := &http.Transport{}
	w.t.Cleanup(transport.CloseIdleConnections)
	response, err := transport.RoundTrip(r)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { response.Body.Close() })
	return &stream{w.t, bufio.NewReader(response.Body), response}
}

// next is the next message but for those of the names left out; ok is false at the end.
func (s *stream) next(leave ...string) (m received, ok bool) {
	s.t.Helper()
	for {
		line, err := s.reader.ReadString('\n')
		if err != nil {
			return m, false
		}
		line = strings.TrimSuffix(line, "\n")
		name, value, _ := strings.Cut(line, ": ")
		switch {
		case name == "id":
			m.id = value
		case name == "event":
			m.event = value
		case name == "data":
			m.data = value
		case line == "" && m.event != "":
			left := false
			for _, l := range leave {
				left = left || l == m.event
			}
			if !left {
				return m, true
			}
			m = received{}
		case name == "":
			m = received{event: "comment", data: value}
		}
	}
}

// events skips what is said once a second.
func (s *stream) events(n int) (got []received) {
	s.t.Helper()
	for range n {
		m, ok := s.next("head", "persister", "checkpoint", "comment")
		if !ok {
			s.t.Fatalf("the stream ended after %+v", got)
		}
		got = append(got, m)
	}
	return got
}
