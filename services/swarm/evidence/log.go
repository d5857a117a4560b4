package evidence

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/tidemark-chat/tidemark/services/swarm/history"
	"github.com/tidemark-chat/tidemark/services/swarm/oracle"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/replay"
)

// pause is the time between two looks at a checkpoint.
const pause = 200 * time.Millisecond

// ReadLog reads the events after an offset, up to the log's end as it was when it was called. The findings say where the
// log has holes (oracle.Dense) and where it is damaged (oracle.Digest); what is damaged is not in the reading. An error is
// Temporary: the log could not be read, or not before ctx ended.
func ReadLog(ctx context.Context, url, credentials string, after uint64, progress Progress) (Reading, []oracle.Finding, error) {
	const op = "read the log"
	options := []nats.Option{nats.CustomInboxPrefix(eventlog.Auditor.InboxPrefix())}
	if credentials != "" {
		options = append(options, nats.UserCredentials(credentials))
	}
	nc, js, err := eventlog.Connect(url, "swarm evidence", slog.New(slog.DiscardHandler), options...)
	if err != nil {
		return Reading{}, nil, fault.New(op, fault.Temporary, err)
	}
	defer nc.Close()
	state, err := eventlog.Open(js).State(ctx)
	if err != nil {
		return Reading{}, nil, fault.New(op, fault.Temporary, err)
	}
	if after > state.Last {
		return Reading{}, nil, fault.Errorf(op, fault.Permanent, "it ends at %d, asked for what follows %d", state.Last, after)
	}
	r := reader{progress: progress}
	r.reading.Log = oracle.Log{After: after, Head: state.Last, Epoch: state.Epoch}
	missing, err := replay.Log(ctx, js, after, state.Last, r.take)
	if err != nil {
		return Reading{}, nil, fault.New(op, fault.Temporary, err)
	}
	r.hole(state.Last+1, missing)
	return r.reading, r.found.All(), nil
}

// reader reads a log once.
type reader struct {
	reading  Reading
	found    oracle.Findings
	progress Progress
}

// take takes one message of the stream.
func (r *reader) take(m replay.Record) error {
	r.hole(m.Offset, m.Missing)
	e, err := m.Event()
	if err != nil {
		r.found.Add(oracle.Digest, func() oracle.Finding {
			return oracle.Finding{Connection: -1, Offset: m.Offset, Text: fmt.Sprintf("The event at %d is damaged: %v.", m.Offset, err)}
		})
	} else {
		r.keep(e)
	}
	r.progress.at(m.Offset-r.reading.Log.After, r.reading.Log.Head-r.reading.Log.After)
	return nil
}

// hole notes what is missing just before an offset.
func (r *reader) hole(before, missing uint64) {
	if missing > 0 {
		first := before - missing
		r.found.Add(oracle.Dense, func() oracle.Finding {
			return oracle.Finding{Connection: -1, Offset: first, Text: fmt.Sprintf("The log holds nothing from %d to %d (%d events).", first, before-1, missing)}
		})
	}
}

func (r *reader) keep(e event.Event) {
	if !e.Known() {
		r.reading.Unknown++
		return
	}
	r.reading.Events = append(r.reading.Events, e)
	if e.Message() {
		r.reading.Log.Messages = append(r.reading.Log.Messages, message(&e))
	}
}

// message is an event as clients are told of it.
func message(e *event.Event) oracle.Message {
	return oracle.Message{Scope: e.Scope, Message: history.Message{
		Offset: e.Offset, ID: e.ID, At: e.At.Format("2006-01-02T15:04:05.000Z"), Conversation: e.Conversation,
		From: e.Sender, Username: e.SenderName, To: e.Recipient, Content: e.Content, Key: e.Key,
	}}
}

// wait waits a moment, or until ctx ends.
func wait(ctx context.Context) error {
	select {
	case <-time.After(pause):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
