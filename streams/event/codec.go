package event

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// Headers of an event in the log. Set in canonical form, so that they are read
// by a plain map access.
const (
	headerSchema       = "Tidemark-Schema"
	headerType         = "Tidemark-Type"
	headerID           = "Tidemark-Id"
	headerConversation = "Tidemark-Conversation" // only where the subject's token is a hash
	headerSender       = "Tidemark-Sender"
	headerSenderName   = "Tidemark-Sender-Name"
	headerRecipient    = "Tidemark-Recipient"
	headerScope        = "Tidemark-Scope"
	headerKey          = "Tidemark-Key"
	headerDigest       = "Tidemark-Digest"
	headerMsgID        = "Nats-Msg-Id"
)

// Encode makes the log's message of a sealed event.
func (e *Event) Encode() *nats.Msg {
	m := &nats.Msg{Subject: subject.Of(e.Conversation), Data: []byte(e.Content), Header: make(nats.Header, 10)}
	set := func(header, value string) {
		if value != "" {
			m.Header[header] = []string{value}
		}
	}
	set(headerSchema, strconv.Itoa(e.Schema))
	set(headerType, string(e.Type))
	set(headerID, e.ID)
	if _, reversible, _ := subject.Parse(m.Subject); !reversible {
		set(headerConversation, url.QueryEscape(e.Conversation.Name))
	}
	set(headerSender, url.QueryEscape(e.Sender))
	set(headerSenderName, url.QueryEscape(e.SenderName))
	set(headerRecipient, url.QueryEscape(e.Recipient))
	set(headerScope, url.QueryEscape(e.Scope))
	set(headerKey, url.QueryEscape(e.Key))
	set(headerDigest, e.Digest.String())
	set(headerMsgID, e.MessageID())
	return m
}

// MessageID is what the log recognises a repeated append by: 160 bits of the
// hash of scope and key, never the client's own string, because ids are
// stream-wide and a hostile client could otherwise claim another's. An event
// without a key has none.
func (e *Event) MessageID() string {
	if e.Key == "" {
		return ""
	}
	buf := binary.BigEndian.AppendUint64(nil, uint64(len(e.Scope)))
	buf = append(append(buf, e.Scope...), e.Key...)
	sum := sha256.Sum256(buf)
	return base64.RawURLEncoding.EncodeToString(sum[:20])
}

// Decode reads an event as the log holds it. An event of an unknown type or a
// newer schema is no error (see Known). One whose headers cannot be read or
// whose digest does not fit is Corrupt; what could be read comes with it.
func Decode(offset uint64, at time.Time, subj string, header nats.Header, content []byte) (Event, error) {
	d := decoder{header: header}
	e := Event{
		Offset:     offset,
		At:         at.UTC(),
		Type:       Type(d.get(headerType)),
		ID:         d.get(headerID),
		Sender:     d.text(headerSender),
		SenderName: d.text(headerSenderName),
		Recipient:  d.text(headerRecipient),
		Scope:      d.text(headerScope),
		Key:        d.text(headerKey),
		Content:    string(content),
	}
	e.Conversation = d.conversation(subj)
	e.Schema, _ = strconv.Atoi(d.get(headerSchema))
	if d.err == nil && (e.Schema <= 0 || e.Type == "") {
		d.err = fmt.Errorf("no schema or type")
	}
	if d.err == nil && e.Schema > Schema {
		// A newer digest may cover more than this code knows: it is not checked.
		_ = e.Digest.UnmarshalText([]byte(d.get(headerDigest)))
		return e, nil
	}
	if d.err == nil {
		d.err = e.Digest.UnmarshalText([]byte(d.get(headerDigest)))
	}
	if d.err == nil && !e.Intact() {
		d.err = fmt.Errorf("the digest does not fit the event")
	}
	if d.err != nil {
		return e, fault.Errorf("decode event", fault.Corrupt, "offset %d, subject %q: %w", offset, subj, d.err)
	}
	return e, nil
}

// decoder reads headers and remembers the first thing that was wrong.
type decoder struct {
	header nats.Header
	err    error
}

func (d *decoder) get(name string) string {
	if v := d.header[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

func (d *decoder) text(name string) string {
	v := d.get(name)
	if v == "" {
		return ""
	}
	s, err := url.QueryUnescape(v)
	if err != nil && d.err == nil {
		d.err = fmt.Errorf("header %s: %w", name, err)
	}
	return s
}

func (d *decoder) conversation(subj string) subject.Conversation {
	c, reversible, err := subject.Parse(subj)
	if err == nil && !reversible {
		c.Name = d.text(headerConversation)
		if subject.Of(c) != subj {
			err = fmt.Errorf("the conversation's name does not fit the subject")
		}
	}
	if err != nil && d.err == nil {
		d.err = err
	}
	return c
}
