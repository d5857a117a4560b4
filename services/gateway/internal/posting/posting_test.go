package posting_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/contract"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/idempotency"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/posting"
	"github.com/tidemark-chat/tidemark/streams/appender"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/subject"
	"github.com/tidemark-chat/tidemark/streams/tail"
)

const (
	here  = "AAAAAAAAAAAAAAAAAAAAAAAA"
	there = "BBBBBBBBBBBBBBBBBBBBBBBB"
)

// model is a read model that answers lookups only.
type model struct {
	query.Model
	reply query.LookupReply
	err   error
	asked int
}

func (m *model) Lookup(context.Context, query.LookupRequest) (query.LookupReply, error) {
	m.asked++
	return m.reply, m.err
}

// log is a log that ends at head; the events of at are as old as it says.
type log struct {
	head uint64
	at   map[uint64]time.Time
	err  error
}

func (l *log) State(context.Context) (eventlog.State, error) {
	return eventlog.State{Last: l.head}, l.err
}

func (l *log) Get(_ context.Context, offset uint64) (event.Event, error) {
	return event.Event{Offset: offset, At: l.at[offset]}, l.err
}

// TestAnOldKeyIsNeverRisked says for each state of read model and log whether a
// key that may be older than the window is appended, answered, or left unacked.
func TestAnOldKeyIsNeverRisked(t *testing.T) {
	js := logtest.Start(t).Provision(logtest.Config())
	a := appender.New(js, true, 5*time.Second)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); a.Run(ctx) }()
	defer func() { cancel(); <-ended }()

	now := time.Now()
	old, recent := now.Add(-3*time.Hour), now.Add(-time.Minute)
	key := there + "-0"
	original := logtest.Keyed(t, "general", "hi", key)
	original.Offset = 5
	kept := logtest.Keyed(t, "general", "hi", there+"-9")
	kept.ID, kept.Offset, kept.At = original.ID, 5, old
	kept.Seal()
	const append_, duplicate, unacked = "append", "duplicate", "unacked"
	for _, c := range []struct {
		what   string
		key    string
		began  time.Time
		since  time.Time
		joined uint64
		model  model
		log    log
		same   error
		want   string
		asked  int
	}{
		{what: "made on this connection", key: here + "-0", began: old, since: recent, model: model{err: errors.New("down")}, want: append_},
		{what: "good for this connection only", key: "undefined-0", began: old, since: recent, model: model{err: errors.New("down")}, want: append_},
		{what: "the log is younger than the window", key: key, began: recent, since: recent, model: model{err: errors.New("down")}, want: append_},
		{what: "made on this connection, which is old, and the tail reaches back", key: here + "-1", began: old, since: old,
			joined: 3, model: model{err: errors.New("down")}, log: log{head: 5}, want: append_},
		{what: "made on this connection, which is old and older than the tail", key: here + "-2", began: old, since: old,
			joined: 2, model: model{err: errors.New("down")}, want: unacked, asked: 1},
		{what: "made on this connection, which is old, and the feed is behind", key: here + "-3", began: old, since: old,
			joined: 3, log: log{head: 9, at: map[uint64]time.Time{6: old}}, want: unacked},
		{what: "in the tail", key: there + "-9", began: old, since: recent, model: model{err: errors.New("down")}, want: duplicate},
		{what: "the read model is away", key: key, began: old, since: recent, model: model{err: errors.New("down")}, want: unacked, asked: 1},
		{what: "the read model is of another log", key: key, began: old, since: recent, same: errors.New("other"), want: unacked, asked: 1},
		{what: "there", key: key, began: old, since: recent, model: model{reply: query.LookupReply{Event: &original}}, want: duplicate, asked: 1},
		{what: "not there, and all is projected", key: there + "-1", began: old, since: recent,
			model: model{reply: query.LookupReply{Checkpoint: query.Checkpoint{Offset: 9, At: old}}}, log: log{head: 9}, want: append_, asked: 1},
		{what: "not there, and what is projected last is recent", key: there + "-2", began: old, since: recent,
			model: model{reply: query.LookupReply{Checkpoint: query.Checkpoint{Offset: 9, At: recent}}}, log: log{err: errors.New("down")}, want: append_, asked: 1},
		{what: "not there, and what is not projected is recent", key: there + "-3", began: old, since: recent,
			model: model{reply: query.LookupReply{Checkpoint: query.Checkpoint{Offset: 9, At: old}}},
			log:   log{head: 20, at: map[uint64]time.Time{10: recent}}, want: append_, asked: 1},
		{what: "not there, but what is not projected is old", key: there + "-4", began: old, since: recent,
			model: model{reply: query.LookupReply{Checkpoint: query.Checkpoint{Offset: 9, At: old}}},
			log:   log{head: 20, at: map[uint64]time.Time{10: old}}, want: unacked, asked: 1},
		{what: "not there, and the log cannot be asked", key: there + "-5", began: old, since: recent,
			model: model{reply: query.LookupReply{Checkpoint: query.Checkpoint{Offset: 9, At: old}}}, log: log{err: errors.New("down")}, want: unacked, asked: 1},
	} {
		recentTail := tail.New(1<<20, 3)
		recentTail.Skip(4, old)
		recentTail.Append(&kept)
		p := posting.Poster{
			Appender: a, Model: &c.model, SameLog: func(query.Checkpoint) error { return c.same }, Log: &c.log,
			Tail: recentTail, Now: time.Now, Window: idempotency.Window{Length: 2 * time.Hour, Way: 12 * time.Second}, Began: c.began,
		}
		result := make(chan string, 1)
		message := event.NewPosted("an id", subject.General, "hi")
		message.Key = c.key
		p.Post(ctx, idempotency.Guest{SocketID: here, Since: c.since, Joined: c.joined}, message,
			func(s posting.Stored, err error) {
				refusal := (*contract.Refusal)(nil)
				switch {
				case errors.As(err, &refusal):
					result <- string(refusal.Code)
				case err != nil:
					result <- unacked
				case s.Duplicate && s.Offset == original.Offset && s.ID == original.ID:
					result <- duplicate
				case s.Duplicate:
					result <- "the wrong duplicate"
				default:
					result <- append_
				}
			})
		if got := <-result; got != c.want || c.model.asked != c.asked {
			t.Errorf("%s: %s after %d questions, want %s after %d", c.what, got, c.model.asked, c.want, c.asked)
		}
	}
}
