package crowd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/history"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// frame is an event as it came, read once for all who were sent the same bytes.
type frame struct {
	name      string
	args      []json.RawMessage // not kept for messages
	message   *history.Message  // nil if it is none
	malformed error

	ours bool          // the message is of this run
	sent time.Duration // and was first sent then
}

// maxFrames is how many frames of each of two generations are remembered.
const maxFrames = 16 << 10

// frames reads events, and remembers those it has read. Safe for concurrent use.
type frames struct {
	mu         sync.RWMutex
	young, old map[string]*frame
}

func newFrames() *frames { return &frames{young: map[string]*frame{}} }

// read reads a payload, which it does not keep.
func (f *frames) read(payload []byte, runID string) *frame {
	if !bytes.HasPrefix(payload, []byte(`["chat message"`)) && !bytes.HasPrefix(payload, []byte(`["room message"`)) &&
		!bytes.HasPrefix(payload, []byte(`["private message"`)) {
		return parse(payload, runID)
	}
	f.mu.RLock()
	known := f.young[string(payload)]
	if known == nil {
		known = f.old[string(payload)]
	}
	f.mu.RUnlock()
	if known != nil {
		return known
	}
	fresh := parse(payload, runID)
	f.mu.Lock()
	defer f.mu.Unlock()
	if known := f.young[string(payload)]; known != nil {
		return known
	}
	if len(f.young) >= maxFrames {
		f.old, f.young = f.young, map[string]*frame{}
	}
	f.young[string(payload)] = fresh
	return fresh
}

// parse reads a payload.
func parse(payload []byte, runID string) *frame {
	fr := &frame{}
	var parts []json.RawMessage
	if err := json.Unmarshal(payload, &parts); err != nil || len(parts) == 0 {
		fr.malformed = fmt.Errorf("not an event: %.200q", payload)
		return fr
	}
	if err := json.Unmarshal(parts[0], &fr.name); err != nil {
		fr.malformed = fmt.Errorf("an event without a name: %.200q", payload)
		return fr
	}
	fr.args = parts[1:]
	fr.message, fr.malformed = parseMessage(fr.name, fr.args)
	if fr.malformed != nil {
		fr.malformed = fmt.Errorf("%w: %.300q", fr.malformed, payload)
	}
	if fr.message != nil {
		fr.args = nil
		fr.sent, fr.ours = stamp(fr.message.Content, runID)
	}
	return fr
}

// told is a message as clients are told of it.
type told struct {
	Room         string  `json:"room"`
	Content      string  `json:"content"`
	From         string  `json:"from"`
	To           string  `json:"to"`
	Username     string  `json:"username"`
	Offset       *uint64 `json:"offset"`
	ID           string  `json:"id"`
	At           string  `json:"at"`
	ClientOffset string  `json:"clientOffset"`
}

var errFields = errors.New("a message that does not have what every message has")

// parseMessage reads a message; nil if the event is another.
func parseMessage(name string, args []json.RawMessage) (*history.Message, error) {
	var t told
	var err error
	switch {
	case name == "chat message" && len(args) == 3:
		t.Room = subject.General.Name
		err = errors.Join(json.Unmarshal(args[0], &t.Content), json.Unmarshal(args[1], &t.Offset), json.Unmarshal(args[2], &t))
	case (name == "room message" || name == "private message") && len(args) == 1:
		err = json.Unmarshal(args[0], &t)
	case strings.HasSuffix(name, " message") && name != "new message":
		return nil, errors.New("a message with another number of arguments")
	default:
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	m := t.message()
	private := name == "private message"
	if t.Offset == nil || m.ID == "" || m.At == "" || m.Content == "" || private != (m.To != "") || private == (t.Room != "") {
		return nil, errFields
	}
	return m, nil
}

func (t *told) message() *history.Message {
	m := &history.Message{
		ID: t.ID, At: t.At, Conversation: subject.Conversation{Kind: subject.Room, Name: t.Room},
		From: t.From, Username: t.Username, To: t.To, Content: t.Content, Key: t.ClientOffset,
	}
	if t.Offset != nil {
		m.Offset = *t.Offset
	}
	if t.To != "" {
		m.Conversation = pair(t.From, t.To)
	}
	return m
}

func pair(a, b string) subject.Conversation {
	return subject.Conversation{Kind: subject.DM, Name: subject.PairName(a, b)}
}

// contents of a run's messages are "<run> <who>#<n> <µs since the run began> <filling>".
func content(runID, who string, n int, at time.Duration, size int) string {
	text := runID + " " + who + "#" + strconv.Itoa(n) + " " + strconv.FormatInt(at.Microseconds(), 10) + " "
	if missing := size - len(text); missing > 0 {
		text += strings.Repeat("~", missing)
	}
	return text
}

// stamp is when a message of this run was made.
func stamp(content, runID string) (at time.Duration, ours bool) {
	rest, ours := strings.CutPrefix(content, runID+" ")
	if !ours {
		return 0, false
	}
	_, rest, _ = strings.Cut(rest, " ")
	micros, _, _ := strings.Cut(rest, " ")
	n, err := strconv.ParseInt(micros, 10, 64)
	return time.Duration(n) * time.Microsecond, err == nil
}
