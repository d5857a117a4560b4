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
	headerPrefix       = "Tidemark-"
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
	var schema, kind, name, sender, senderName, recipient, scope, key, digest string
	e := Event{Offset: offset, At: at.UTC(), Content: string(content)}
	for header, values := range header { // cheaper than to look each up
		if len(values) == 0 {
			continue
		}
		value := values[0]
		switch header {
		case headerSchema:
			schema = value
		case headerType:
			kind = value
		case headerID:
			e.ID = value
		case headerConversation:
			name = value
		case headerSender:
			sender = value
		case headerSenderName:
			senderName = value
		case headerRecipient:
			recipient = value
		case headerScope:
			scope = value
		case headerKey:
			key = value
		case headerDigest:
			digest = value
		}
	}
	// In one order, so that of several things that are wrong always the same is told.
	d := decoder{}
	e.Type = Type(kind)
	e.Sender = d.text(headerSender, sender)
	e.SenderName = d.text(headerSenderName, senderName)
	e.Recipient = d.text(headerRecipient, recipient)
	e.Scope = d.text(headerScope, scope)
	e.Key = d.text(headerKey, key)
	e.Conversation = d.conversation(subj, d.text(headerConversation, name))
	e.Schema, _ = strconv.Atoi(schema)
	if e.Schema != firstSchema {
		e.Stored = stored(subj, header, content)
	}
	if d.err == nil && (e.Schema <= 0 || e.Type == "") {
		d.err = fmt.Errorf("no schema or type")
	}
	if d.err == nil && e.Schema > Schema {
		// A newer digest may cover more than this code knows: it is not checked.
		_ = e.Digest.UnmarshalText([]byte(digest))
		return e, nil
	}
	if d.err == nil {
		d.err = e.Digest.UnmarshalText([]byte(digest))
	}
	if d.err == nil && !e.Intact() {
		d.err = fmt.Errorf("the digest does not fit the event")
	}
	if d.err != nil {
		return e, fault.Errorf("decode event", fault.Corrupt, "offset %d, subject %q: %w", offset, subj, d.err)
	}
	return e, nil
}

// decoder remembers the first thing that was wrong.
type decoder struct{ err error }

// text is what a header's value stands for.
func (d *decoder) text(header, value string) string {
	text, err := url.QueryUnescape(value)
	if err != nil && d.err == nil {
		d.err = fmt.Errorf("header %s: %w", header, err)
	}
	return text
}

// conversation is that of a subject, whose name is the event's own where the subject has a hash.
func (d *decoder) conversation(subj, name string) subject.Conversation {
	c, reversible, err := subject.Parse(subj)
	if err == nil && !reversible {
		c.Name = name
		if subject.Of(c) != subj {
			err = fmt.Errorf("the conversation's name does not fit the subject")
		}
	}
	if err != nil && d.err == nil {
		d.err = err
	}
	return c
}
