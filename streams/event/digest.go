package event

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
)

// Digest is the SHA-256 over the event's fields, each preceded by its length
// (8 bytes, big endian), in this order: "tidemark", schema, type, id,
// conversation, sender, sender name, recipient, scope, key, content. Offset
// and time are not in it: the log gives them after the event was sealed.
type Digest [sha256.Size]byte

func (e *Event) digest() Digest {
	fields := [...]string{
		"tidemark", strconv.Itoa(e.Schema), string(e.Type), e.ID, e.Conversation.String(),
		e.Sender, e.SenderName, e.Recipient, e.Scope, e.Key, e.Content,
	}
	size := 0
	for _, f := range fields {
		size += 8 + len(f)
	}
	buf := make([]byte, 0, size)
	for _, f := range fields {
		buf = binary.BigEndian.AppendUint64(buf, uint64(len(f)))
		buf = append(buf, f...)
	}
	return sha256.Sum256(buf)
}

// String is the digest as base64url without padding, 43 characters.
func (d Digest) String() string { return base64.RawURLEncoding.EncodeToString(d[:]) }

// MarshalText makes the digest a JSON string.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what String writes.
func (d *Digest) UnmarshalText(text []byte) error {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(string(text))
	if err != nil || len(raw) != len(d) {
		return fmt.Errorf("digest %q: want 43 characters of base64url", text)
	}
	copy(d[:], raw)
	return nil
}
