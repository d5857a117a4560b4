package event

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
)

// Digest is the SHA-256 over the event's fields, each preceded by its length
// (8 bytes, big endian), in this order: "tidemark", schema, type, id,
// conversation, sender, sender name, recipient, scope, key, content. Offset
// and time are not in it: the log gives them after the event was sealed.
type Digest [sha256.Size]byte

func (e *Event) digest() Digest {
	// Most events fit, so that nothing is allocated.
	var room [1024]byte
	buf := appendField(room[:0], "tidemark")
	buf = appendField(buf, strconv.Itoa(e.Schema))
	buf = appendField(buf, string(e.Type))
	buf = appendField(buf, e.ID)
	kind, name := string(e.Conversation.Kind), e.Conversation.Name
	buf = appendLength(buf, len(kind)+len(":")+len(name)) // Conversation.String
	buf = append(append(append(buf, kind...), ':'), name...)
	for _, field := range [...]string{e.Sender, e.SenderName, e.Recipient, e.Scope, e.Key, e.Content} {
		buf = appendField(buf, field)
	}
	return sha256.Sum256(buf)
}

// stored is a hash over a message as the log holds it: "tidemark-stored", subject, names and values of its Tidemark headers in
// the order of the names, content, each behind its length.
func stored(subj string, header nats.Header, content []byte) Digest {
	buf := appendField(appendField(nil, "tidemark-stored"), subj)
	for _, name := range slices.Sorted(maps.Keys(header)) {
		if strings.HasPrefix(name, headerPrefix) {
			buf = appendField(buf, name)
			for _, value := range header[name] {
				buf = appendField(buf, value)
			}
		}
	}
	return sha256.Sum256(appendField(buf, string(content)))
}

func appendField(buf []byte, field string) []byte {
	return append(appendLength(buf, len(field)), field...)
}

func appendLength(buf []byte, n int) []byte { return binary.BigEndian.AppendUint64(buf, uint64(n)) }

var digestText = base64.RawURLEncoding.Strict()

// String is the digest as base64url without padding, 43 characters.
func (d Digest) String() string { return digestText.EncodeToString(d[:]) }

// MarshalText makes the digest a JSON string.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what String writes.
func (d *Digest) UnmarshalText(text []byte) error {
	var raw Digest
	if len(text) != digestText.EncodedLen(len(raw)) {
		return fmt.Errorf("digest %q: want 43 characters of base64url", text)
	}
	if n, err := digestText.Decode(raw[:], text); err != nil || n != len(raw) { // it passes over line breaks
		return fmt.Errorf("digest %q: want 43 characters of base64url", text)
	}
	*d = raw
	return nil
}
