package peers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A content is "<nanoseconds since the epoch> <number of the sender> ..." and always of one length.
const (
	contentBytes = 200
	timeDigits   = 19 // until the year 2286
	senderDigits = 5
)

// opening is how the payload of each message begins, from any server.
const opening = `["chat message","`

var padding = strings.Repeat(".", contentBytes-timeDigits-1-senderDigits-1)

// chatMessage is the payload of a message as the tutorial's page sends it.
func chatMessage(at time.Time, sender int, key string) []byte {
	return fmt.Appendf(nil, `%s%0*d %0*d %s",%q]`, opening, timeDigits, at.UnixNano(), senderDigits, sender, padding, key)
}

// parseMessage is when a message was sent, and by whom. ok is false for whatever else a server sends.
func parseMessage(payload []byte) (sent time.Time, sender int, ok bool) {
	rest, ok := bytes.CutPrefix(payload, []byte(opening))
	if !ok || len(rest) < contentBytes {
		return time.Time{}, 0, false
	}
	at, err := strconv.ParseInt(string(rest[:timeDigits]), 10, 64)
	if err != nil {
		return time.Time{}, 0, false
	}
	sender, err = strconv.Atoi(string(rest[timeDigits+1 : timeDigits+1+senderDigits]))
	return time.Unix(0, at), sender, err == nil
}

// refused says whether an answer is the refusal of a message; the servers of Node.js answer with nothing.
func refused(answer []byte) bool { return bytes.Contains(answer, []byte(`"ok":false`)) }

// seen is what a client remembers for when it comes back.
type seen struct {
	pid     string // its private id, if the server gave one
	message []byte // payload of the latest message
}

// asServerOffset is the auth of one that tells the offset of the latest message, which is the argument after the content.
func (s seen) asServerOffset() (any, error) {
	args, err := s.arguments(3)
	if err != nil {
		return nil, err
	}
	return map[string]any{"serverOffset": args[2]}, nil
}

// asRecovery is the auth for Socket.IO's connectionStateRecovery, whose offset is the last argument of the latest message.
func (s seen) asRecovery() (any, error) {
	args, err := s.arguments(3)
	if err != nil {
		return nil, err
	}
	return map[string]any{"pid": s.pid, "offset": args[len(args)-1]}, nil
}

func (s seen) arguments(least int) (args []json.RawMessage, err error) {
	if err := json.Unmarshal(s.message, &args); err != nil || len(args) < least {
		return nil, fmt.Errorf("a message without an offset: %q", s.message)
	}
	return args, nil
}
