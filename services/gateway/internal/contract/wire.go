package contract

import (
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/tidemark-chat/tidemark/streams/event"
)

// AppendMessage appends a message event as a Socket.IO packet:
//
//	2["chat message",<content>,<offset>,{"id":…,"at":…,"from":…,"username":…,"clientOffset":…}]
//
// own says that it goes to one of the sender's sockets, which alone are told
// the clientOffset.
func AppendMessage(dst []byte, e *event.Event, own bool) []byte {
	dst = append(dst, `2["chat message",`...)
	dst = appendString(dst, e.Content)
	dst = append(dst, ',')
	dst = strconv.AppendUint(dst, e.Offset, 10)
	dst = append(dst, `,{"id":`...)
	dst = appendString(dst, e.ID)
	dst = append(dst, `,"at":"`...)
	dst = appendTime(dst, e.At)
	dst = append(dst, '"')
	if e.Sender != "" {
		dst = appendString(append(dst, `,"from":`...), e.Sender)
		dst = appendString(append(dst, `,"username":`...), e.SenderName)
	}
	if own && e.Key != "" {
		dst = appendString(append(dst, `,"clientOffset":`...), e.Key)
	}
	return append(dst, '}', ']')
}

// Recovery is what a client is told once after each connect, when everything
// it missed has been sent.
type Recovery struct {
	Recovered bool   `json:"recovered"`        // nothing is missing, nothing was sent before
	From      uint64 `json:"from"`             // replayed after this offset
	Head      uint64 `json:"head"`             // up to this one
	Count     uint64 `json:"count"`            // events replayed
	Epoch     string `json:"epoch"`            // of this log: send it with serverOffset
	Reason    Reason `json:"reason,omitempty"` // why not recovered
}

// Reason says why a client could not simply go on where it was.
type Reason string

const (
	Trimmed      Reason = "trimmed"       // the oldest part of what it missed is gone
	EpochChanged Reason = "epoch_changed" // its offset is of another log: replayed from the beginning
	AheadOfLog   Reason = "ahead_of_log"  // its offset was never issued: replayed from the beginning
)

// Packet is the "recovery" event as a Socket.IO packet.
func (r Recovery) Packet() []byte {
	body, _ := json.Marshal(r) // of strings, numbers and a bool
	return append(append([]byte(`2["recovery",`), body...), ']')
}

// Watermark is the "watermark" event as a Socket.IO packet: everything at or
// below offset that this client may see has been sent.
func Watermark(offset uint64) []byte {
	return append(strconv.AppendUint([]byte(`2["watermark",{"offset":`), offset, 10), "}]"...)
}

// appendTime appends a time in UTC as RFC 3339 with milliseconds. The library has
// a short way for the form without them.
func appendTime(dst []byte, t time.Time) []byte {
	dst = t.AppendFormat(dst, time.RFC3339)
	ms := t.Nanosecond() / int(time.Millisecond)
	return append(dst[:len(dst)-1], '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z')
}

// escaped says which bytes cannot stand in a JSON string as they are.
var escaped = func() (table [256]bool) {
	for c := range 0x20 {
		table[c] = true
	}
	table['"'], table['\\'] = true, true
	return table
}()

// appendString appends a JSON string. Nearly every one needs no escape, and
// then it costs a scan and a copy.
func appendString(dst []byte, s string) []byte {
	for i := range len(s) {
		if escaped[s[i]] {
			return appendEscaped(dst, s)
		}
	}
	if !utf8.ValidString(s) {
		return appendEscaped(dst, s)
	}
	return append(append(append(dst, '"'), s...), '"')
}

func appendEscaped(dst []byte, s string) []byte {
	quoted, _ := json.Marshal(s) // a string always can be
	return append(dst, quoted...)
}
