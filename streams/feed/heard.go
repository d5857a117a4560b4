package feed

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// heard is one message of the log as it was sent to those who listen.
type heard struct {
	offset  uint64
	at      time.Time
	subject string // in the log
	header  nats.Header
	content []byte
}

// errHidden says that a message holds more than can be seen of it.
var errHidden = errors.New("its headers are not all there is before its content")

// read takes off a message what the log's server has added to it. That stands behind
// all that the message came with, which may bear the same names.
//
// Nobody may publish to the feed's subjects, but who may ask the server for something
// may have it answer, or deliver, to them. Of that only a read of the log passes, which
// says the same as what was republished. A delivery has a reply, and the subject that
// the message has in the log; its headers are whatever was stored. Other answers lack
// what the server adds.
func read(m *nats.Msg) (h heard, err error) {
	h = heard{subject: last(m.Header, "Nats-Subject"), header: m.Header, content: m.Data}
	stream := last(m.Header, "Nats-Stream")
	switch {
	case m.Reply != "":
		return h, fmt.Errorf("what came on %s wants a reply", m.Subject)
	case stream != eventlog.StreamName:
		return h, fmt.Errorf("what came on %s is of stream %q", m.Subject, stream)
	case m.Subject != republished(h.subject):
		return h, fmt.Errorf("what came on %s is of subject %q", m.Subject, h.subject)
	case m.Size() != len(m.Subject)+headerSize(m.Header)+len(m.Data):
		return h, fmt.Errorf("what came on %s cannot be trusted: %w", m.Subject, errHidden)
	}
	if h.offset, err = strconv.ParseUint(last(m.Header, "Nats-Sequence"), 10, 64); err != nil {
		return h, fmt.Errorf("what came on %s has no offset: %w", m.Subject, err)
	}
	if h.at, err = time.Parse(time.RFC3339Nano, last(m.Header, "Nats-Time-Stamp")); err != nil {
		return h, fmt.Errorf("what came on %s has no time: %w", m.Subject, err)
	}
	return h, nil
}

// The log's server sends what is stored on allPrefix+x to feedPrefix+x.
var (
	allPrefix  = strings.TrimSuffix(subject.All, ">")
	feedPrefix = strings.TrimSuffix(eventlog.FeedSubject, ">")
)

// republished is where a message of the log is sent to; empty for one that is not of
// the log.
func republished(subj string) string {
	rest, ours := strings.CutPrefix(subj, allPrefix)
	if !ours {
		return ""
	}
	return feedPrefix + rest
}

// headerSize is the size of headers as the usual clients write them, in bytes. Where
// there are more, what the server added may stand behind an empty line, at which
// reading ends: an event that was stored so is read from the log.
func headerSize(header nats.Header) int {
	size := len("NATS/1.0\r\n") + len("\r\n")
	for name, values := range header {
		for _, value := range values {
			size += len(name) + len(": ") + len(value) + len("\r\n")
		}
	}
	return size
}

// last is the last value of a header.
func last(header nats.Header, name string) string {
	if values := header[name]; len(values) > 0 {
		return values[len(values)-1]
	}
	return ""
}

// strayInterval is how often it is logged that something came that is not the log's.
const strayInterval = time.Minute

// strays counts what came to the feed's subjects and is not the log's. It belongs to
// the goroutine that runs the feed.
type strays struct {
	out   *slog.Logger
	count int // since the last word of it
	next  time.Time
}

func (s *strays) note(reason error) {
	s.count++
	if now := time.Now(); now.After(s.next) {
		s.out.Warn("something on the log's feed is not the log's, and is passed over: somebody has it sent there", "count", s.count, "reason", reason)
		s.count, s.next = 0, now.Add(strayInterval)
	}
}
