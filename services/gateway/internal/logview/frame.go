package logview

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/feed"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// frame is one message of the stream as it goes over the wire.
type frame []byte

// status is what is shown once a second, and of which only the newest matters.
type status int

const (
	headStatus status = iota
	persisterStatus
	checkpointStatus
	statuses // how many there are
)

// state is what a stream begins with.
type state struct {
	Epoch    string    `json:"epoch"`
	First    uint64    `json:"first"` // of the log, as is last; last+1 if it is empty
	Last     uint64    `json:"last"`
	Position uint64    `json:"position"` // of the feed
	Time     time.Time `json:"time"`     // the log's
}

// shown is what is shown of an event.
type shown struct {
	Offset       uint64    `json:"offset"`
	At           time.Time `json:"at"`
	Type         string    `json:"type,omitempty"`
	Conversation string    `json:"conversation,omitempty"`
	Bytes        int       `json:"bytes"` // of the content
	Digest       string    `json:"digest,omitempty"`
	// Missing counts the offsets just before it at which the log holds nothing.
	Missing uint64 `json:"missing,omitempty"`
	Unknown bool   `json:"unknown,omitempty"` // of a type or schema that this code does not know
	Damaged bool   `json:"damaged,omitempty"` // only offset and time can be relied upon
	Unread  bool   `json:"unread,omitempty"`  // only offset and time are known: the log did not answer, or was not asked
}

// persister is how far the read model is.
type persister struct {
	Offset uint64     `json:"offset"`
	At     *time.Time `json:"at,omitempty"`    // when the log stored that event
	Epoch  string     `json:"epoch,omitempty"` // which log it is of
	Lag    uint64     `json:"lag"`             // offsets behind the head
	Error  string     `json:"error,omitempty"` // then nothing else is known
}

// checkpoint is what the latest signed checkpoint says, which nobody has verified.
type checkpoint struct {
	None   bool       `json:"none,omitempty"` // nobody has signed anything
	Size   uint64     `json:"size,omitempty"`
	Root   string     `json:"root,omitempty"` // base64, as it is signed
	Origin string     `json:"origin,omitempty"`
	Key    string     `json:"key,omitempty"` // name and hash of the key: the beginning of the public one
	Epoch  string     `json:"epoch,omitempty"`
	At     *time.Time `json:"at,omitempty"` // when it was signed
	Error  string     `json:"error,omitempty"`
}

func encode(name string, value any) frame {
	data, err := json.Marshal(value) // without line breaks
	if err != nil {
		return nil // no value of this package
	}
	return fmt.Appendf(nil, "event: %s\ndata: %s\n\n", name, data)
}

// comeBackFrame tells a browser how long to wait before it comes back by itself.
func comeBackFrame() frame { return fmt.Appendf(nil, "retry: %d\n\n", comeBack.Milliseconds()) }

func skippedFrame(count uint64) frame {
	return encode("skipped", struct {
		Count uint64 `json:"count"`
	}{count})
}

// recordFrame is the frame of a position of the feed.
func recordFrame(r feed.Record) frame {
	s := show(&r.Event, r.Damaged != nil)
	s.Missing = r.Missing
	return s.frame()
}

// frame carries the offset as the stream's id, from which a browser goes on.
func (s shown) frame() frame {
	return append(fmt.Appendf(nil, "id: %d\n", s.Offset), encode("event", s)...)
}

func show(e *event.Event, damaged bool) shown {
	s := shown{Offset: e.Offset, At: e.At, Bytes: len(e.Content), Damaged: damaged}
	if damaged {
		return s
	}
	s.Type, s.Conversation, s.Unknown = clip(string(e.Type)), conversation(e.Conversation), !e.Known()
	if e.Digest != (event.Digest{}) {
		s.Digest = hex.EncodeToString(e.Digest[:])
	}
	return s
}

// conversation names a conversation without naming its people.
func conversation(c subject.Conversation) string {
	switch c.Kind {
	case subject.Room:
		return "room/" + clip(c.Name)
	case subject.DM:
		return "direct/" + clip(c.Name)
	default:
		return string(c.Kind)
	}
}

// maxText bounds a text in bytes: what others than gateways append may have long
// ones. The longest name of a room fits.
const maxText = 128 * utf8.UTFMax

func clip(text string) string {
	if len(text) <= maxText {
		return text
	}
	end := maxText
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}
