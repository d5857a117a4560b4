// Package subject maps conversations to subjects of the log and back.
//
//	chat.<shard>.room.<token of the room's name>
//	chat.<shard>.dm.<hash of the two users>
//	chat.<shard>.user.<token of the user's id>
//
// There is one subject per conversation, so that the log can be read and
// replayed by conversation. Names come from clients and may hold anything,
// wildcards and control characters included; a token holds only
// [A-Za-z0-9_-], is at most 64 characters long, and no two names share one.
package subject

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strings"
)

// All matches every subject of the log.
const All = "chat.>"

// AllDirect matches every subject of a direct conversation.
const AllDirect = "chat.*." + string(DM) + ".>"

// AllUsers matches the subjects of users' own events, their registrations.
const AllUsers = "chat.*." + string(User) + ".*"

// Typing carries who types, from gateway to gateway. It is not of the log.
const Typing = "tidemark.signal.typing"

// shard is the only shard there is today; the subject carries it from the
// first day so that conversations can be spread later without renaming any.
const shard = "0"

// Kind is the kind of a conversation.
type Kind string

const (
	Room Kind = "room" // Name is the room's name, free text
	DM   Kind = "dm"   // Name is PairName of the two users
	User Kind = "user" // Name is the user's id; carries the user's own events

	// inbox is no conversation of the log but all direct ones of a user taken
	// together: something to follow.
	inbox Kind = "inbox"
)

// Conversation names one conversation. The zero value names none.
type Conversation struct {
	Kind Kind
	Name string
}

// General is the room every guest is in.
var General = Conversation{Kind: Room, Name: "general"}

// Inbox is what is followed for all direct messages from and to a user. No event
// is in it, and it has no subject of its own.
func Inbox(user string) Conversation { return Conversation{Kind: inbox, Name: user} }

// InboxOf is the user whose inbox c is, if it is one.
func (c Conversation) InboxOf() (user string, ok bool) { return c.Name, c.Kind == inbox }

// String is the stable text form used by the read model, the queries and the
// auditor: "room:general". ParseConversation is its inverse.
func (c Conversation) String() string { return string(c.Kind) + ":" + c.Name }

// ParseConversation reads the form that String writes.
func ParseConversation(s string) (Conversation, error) {
	kind, name, found := strings.Cut(s, ":")
	c := Conversation{Kind: Kind(kind), Name: name}
	if !found || name == "" || !c.Kind.known() && c.Kind != inbox {
		return Conversation{}, fmt.Errorf("conversation %q: want room:<name>, dm:<hash>, user:<id> or inbox:<id>", s)
	}
	return c, nil
}

func (k Kind) known() bool { return k == Room || k == DM || k == User }

// PairName is the name of the direct conversation of two users, the same
// whichever comes first. It cannot be turned back into the users.
func PairName(a, b string) string {
	if b < a {
		a, b = b, a
	}
	h := sha256.New()
	for _, id := range []string{a, b} {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(id)))
		h.Write(length[:])
		h.Write([]byte(id))
	}
	return encoding.EncodeToString(h.Sum(nil))
}

// Of is the subject of a conversation.
func Of(c Conversation) string {
	return "chat." + shard + "." + string(c.Kind) + "." + Token(c.Name)
}

// Parse reads a subject. Where the token is a digest of a long name, reversible
// is false and the conversation's name is empty: the event carries it.
func Parse(subj string) (c Conversation, reversible bool, err error) {
	first, rest, _ := strings.Cut(subj, ".")
	_, rest, _ = strings.Cut(rest, ".") // the shard
	kind, token, found := strings.Cut(rest, ".")
	if !found || first != "chat" || !Kind(kind).known() {
		return Conversation{}, false, fmt.Errorf("subject %q: want chat.<shard>.<room|dm|user>.<token>", subj)
	}
	name, reversible, err := Name(token)
	if err != nil {
		return Conversation{}, false, fmt.Errorf("subject %q: %w", subj, err)
	}
	return Conversation{Kind: Kind(kind), Name: name}, reversible, nil
}

// encoding has no padding and only letters and digits; lower case by choice.
var encoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

const (
	maxToken = 64
	// A token's first character says how the rest is to be read.
	plain  = 'n' // the name itself
	coded  = 'b' // base32 of the name's bytes
	hashed = 'h' // base32 of the SHA-256 of a name too long for 64 characters
)

// Token encodes a name. It is injective: different names, different tokens.
func Token(name string) string {
	if len(name) < maxToken && isPlain(name) {
		return string(plain) + name
	}
	if encoding.EncodedLen(len(name)) < maxToken {
		return string(coded) + encoding.EncodeToString([]byte(name))
	}
	sum := sha256.Sum256([]byte(name))
	return string(hashed) + encoding.EncodeToString(sum[:])
}

// Name decodes a token. For a hashed token it returns "" and false.
func Name(token string) (name string, reversible bool, err error) {
	if len(token) < 2 || len(token) > maxToken {
		return "", false, fmt.Errorf("token %q: want 2 to %d characters", token, maxToken)
	}
	rest := token[1:]
	switch token[0] {
	case plain:
		if !isPlain(rest) {
			return "", false, fmt.Errorf("token %q: not a plain name", token)
		}
		return rest, true, nil
	case coded, hashed:
		raw, err := encoding.DecodeString(rest)
		if err != nil || encoding.EncodeToString(raw) != rest {
			return "", false, fmt.Errorf("token %q: not base32", token)
		}
		if token[0] == hashed {
			return "", false, nil
		}
		// A name that needs no code has another token, and would have two subjects.
		if name := string(raw); Token(name) == token {
			return name, true, nil
		}
		return "", false, fmt.Errorf("token %q: no name has it", token)
	}
	return "", false, fmt.Errorf("token %q: unknown form", token)
}

func isPlain(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-') {
			return false
		}
	}
	return len(s) > 0
}

// MarshalText makes a conversation a JSON string in its text form.
func (c Conversation) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads the text form.
func (c *Conversation) UnmarshalText(text []byte) (err error) {
	*c, err = ParseConversation(string(text))
	return err
}
