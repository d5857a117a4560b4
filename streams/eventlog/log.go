package eventlog

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// ErrNotFound says that the log holds no event at an offset.
var ErrNotFound = errors.New("no event at this offset")

// MaxReadSpan is the longest span of offsets that Read accepts: a longer one
// can hold up every append to the stream for a second.
const MaxReadSpan = 100_000

// Log reads the stream. Safe for concurrent use.
//
// Its reads are answered inline in the server's read loop of this connection,
// so that connection should not be the one that publishes.
type Log struct {
	js jetstream.JetStream
}

// Open makes a Log of a connection's JetStream. It does not talk to the server.
func Open(js jetstream.JetStream) *Log { return &Log{js: js} }

// State is the log at one moment.
type State struct {
	First, Last uint64 // offsets of the oldest and newest event; First is Last+1 when empty
	Bytes       uint64
	MaxBytes    uint64    // beyond which nothing is stored; 0: none
	Epoch       string    // changes when the log is another one
	Began       time.Time // no event is older
	Now         time.Time // by the log's clock, when it answered
	Replicas    int
	AtomicBatch bool // group commit is possible
	DedupWindow time.Duration
	// Restored is when the log was put back from a copy at the latest; zero if it was not. Of what was appended before,
	// nats-server (v2.15.2) recognises no repetition until it is restarted, whatever the window.
	Restored time.Time
}

// State asks the stream's leader.
func (l *Log) State(ctx context.Context) (State, error) {
	if err := connected(l.js); err != nil {
		return State{}, fault.New("read log state", fault.Temporary, err)
	}
	stream, err := l.js.Stream(ctx, StreamName)
	if err != nil {
		return State{}, fault.New("read log state", fault.Temporary, err)
	}
	info := stream.CachedInfo()
	began := info.Created
	if info.State.Msgs > 0 {
		began = info.State.FirstTime // a promoted mirror is younger than its events
	}
	return State{
		Began: began, Now: info.TimeStamp,
		First: max(info.State.FirstSeq, 1), Last: info.State.LastSeq, Bytes: info.State.Bytes,
		MaxBytes: uint64(max(info.Config.MaxBytes, 0)),
		Epoch:    epoch(info),
		Replicas: info.Config.Replicas, AtomicBatch: info.Config.AllowAtomicPublish,
		DedupWindow: info.Config.Duplicates,
		Restored:    restored(info.Config.Metadata),
	}, nil
}

// epoch identifies the log: its name, when it was made, and the operator's own
// mark, which must be raised when an older copy is put back, because then
// offsets are issued a second time under the same name and date.
func epoch(info *jetstream.StreamInfo) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%d\n%s",
		info.Config.Name, info.Created.UnixNano(), info.Config.Metadata[metadataEpoch]))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// Get reads one event. ErrNotFound (temporary: with replicas, the one asked
// may not have it yet) if the log holds none there; Corrupt if it is damaged,
// and then what could be read of it comes with the error.
func (l *Log) Get(ctx context.Context, offset uint64) (event.Event, error) {
	const op = "read event"
	if offset == 0 {
		return event.Event{}, fault.New(op, fault.Temporary, ErrNotFound)
	}
	if err := connected(l.js); err != nil {
		return event.Event{}, fault.New(op, fault.Temporary, err)
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	msg, err := l.js.Conn().RequestWithContext(ctx, directGet, fmt.Appendf(nil, `{"seq":%d}`, offset))
	if err != nil {
		return event.Event{}, fault.New(op, fault.Temporary, err)
	}
	if added(msg.Header, jetstream.SequenceHeader) != strconv.FormatUint(offset, 10) {
		return event.Event{}, fault.New(op, fault.Temporary, refusedRead(msg.Header))
	}
	at, err := time.Parse(time.RFC3339Nano, added(msg.Header, jetstream.TimeStampHeaer))
	if err != nil {
		return event.Event{}, fault.New(op, fault.Temporary, err)
	}
	return event.Decode(offset, at, added(msg.Header, jetstream.SubjectHeader), msg.Header, msg.Data)
}

// directGet is where the server answers with the message of an offset.
const directGet = jetstream.DefaultAPIPrefix + "DIRECT.GET." + StreamName

// added is the value of a header that the server adds to what it answers. It stands
// behind the headers of the message itself, which may bear the same names: the
// client library, which takes the first, could be made to not find a message.
func added(header nats.Header, name string) string {
	if values := header[name]; len(values) > 0 {
		return values[len(values)-1]
	}
	return ""
}

// refusedRead is why an answer is not the message that was asked for.
func refusedRead(header nats.Header) error {
	if status := header.Get("Status"); status != "404" {
		return fmt.Errorf("the server answers %s %s", status, header.Get("Description"))
	}
	return ErrNotFound
}

// HasUser reports whether somebody has registered under an id. With replicas, the
// one asked may not have heard of it yet.
func (l *Log) HasUser(ctx context.Context, id string) (bool, error) {
	const op = "look for a user"
	if err := connected(l.js); err != nil {
		return false, fault.New(op, fault.Temporary, err)
	}
	stream, err := l.js.Stream(ctx, StreamName)
	if err != nil {
		return false, fault.New(op, fault.Temporary, err)
	}
	_, err = stream.GetLastMsgForSubject(ctx, subject.Of(subject.Conversation{Kind: subject.User, Name: id}))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fault.New(op, fault.Temporary, err)
	}
	return true, nil
}

// Read reads the messages of some conversations, or one user's inbox, with
// after < offset <= through, in ascending offset, at most limit of them. It
// returns up to which offset the answer is complete. The span is at most
// MaxReadSpan. Events this code does not know, and damaged ones, are left out.
func (l *Log) Read(
	ctx context.Context, conversations []subject.Conversation, after, through uint64, limit int,
) (events []event.Event, complete uint64, err error) {
	const op = "read log"
	if through-after > MaxReadSpan {
		return nil, 0, fault.Errorf(op, fault.Permanent, "span of %d offsets is over %d", through-after, MaxReadSpan)
	}
	complete = through
	for _, c := range conversations {
		found, reached, err := l.readConversation(ctx, c, after, through, limit)
		if err != nil {
			return nil, 0, fault.New(op, fault.Temporary, err)
		}
		events = append(events, found...)
		complete = min(complete, reached)
	}
	slices.SortFunc(events, func(a, b event.Event) int { return int(a.Offset) - int(b.Offset) })
	for i, e := range events {
		if e.Offset > complete {
			return events[:i], complete, nil
		}
		if i == limit && limit > 0 {
			return events[:i], events[i-1].Offset, nil
		}
	}
	return events, complete, nil
}

// readConversation reads one conversation; reached says how far the answer goes.
func (l *Log) readConversation(
	ctx context.Context, c subject.Conversation, after, through uint64, limit int,
) (events []event.Event, reached uint64, err error) {
	user, all := c.InboxOf()
	subj := subject.AllDirect
	if !all {
		subj = subject.Of(c)
	}
	msgs, err := jetstreamext.GetBatch(ctx, l.js, StreamName, limit+1,
		jetstreamext.GetBatchSeq(after+1), jetstreamext.GetBatchSubject(subj))
	if err != nil {
		return nil, 0, err
	}
	count, last := 0, uint64(0)
	for msg, err := range msgs {
		if errors.Is(notFound(err), ErrNotFound) {
			return events, through, nil
		}
		if err != nil {
			return nil, 0, err
		}
		if msg.Sequence > through {
			return events, through, nil
		}
		if count++; count > limit {
			return events, msg.Sequence - 1, nil
		}
		e, err := event.Decode(msg.Sequence, msg.Time, msg.Subject, msg.Header, msg.Data)
		if err == nil && e.Message() && (!all || e.Sender == user || e.Recipient == user) {
			events = append(events, e)
		}
		if msg.Header.Get(headerPending) == "0" {
			return events, through, nil
		}
		last = msg.Sequence
	}
	if last == 0 {
		return nil, 0, errCutShort
	}
	return events, last, nil
}

// headerPending counts, in an answer to a batch request, the messages that the
// request still matches after this one.
const headerPending = "Nats-Num-Pending"

// errCutShort says that an answer ended without saying that it had: the time
// was up, or the connection went. The extension package (v0.3.1) reports that
// as a plain end, so an end counts only where it is shown: by the server's "no
// message", by nothing pending, or by a message beyond what was asked for.
var errCutShort = errors.New("the log's answer was cut short")

// notFound turns the two ways the server says "nothing there" into ErrNotFound.
func notFound(err error) error {
	if errors.Is(err, jetstreamext.ErrNoMessages) || errors.Is(err, jetstream.ErrMsgNotFound) {
		return ErrNotFound
	}
	return err
}
