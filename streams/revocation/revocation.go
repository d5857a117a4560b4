// Package revocation says who is not to be let in any more, and is to be cut where he
// is connected: users, and single sessions.
//
//	operator ── Revoke ──▶ REVOCATIONS  user.<token of the id>          ──▶ {at, reason, user}
//	                                    session.<hash of the id>
//	                            │ watch
//	                            ▼
//	each gateway ── List ──▶ connections that are cut, connects that are refused
//
// It promises:
//   - a gateway that follows the bucket knows a revocation as soon as the bucket's
//     leader has told it, and never forgets one that has not been lifted: not even if the
//     bucket is lost, as long as the gateway runs.
//   - who is looked up while it does not follow gets a Temporary error, not an answer:
//     while it has not yet read what there is, while it has not heard of the bucket for
//     two seconds, or of its leader, with most of the cluster behind it, for some four,
//     and while the bucket is another one than it was, or has gone back. What it knows
//     still counts for those who are connected.
//   - a session's id is never in the bucket, only its hash.
package revocation

import (
	"cmp"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/tidemark-chat/tidemark/streams/subject"
)

// Target is whom a revocation is about: one of these.
type Target struct {
	User    string // id
	Session string // session.Hash of its id
}

const (
	userKeys    = "user."
	sessionKeys = "session."
)

func (t Target) key() string {
	if t.Session != "" {
		return sessionKeys + t.Session
	}
	return userKeys + subject.Token(t.User)
}

// Revocation is one of a user or of a session.
type Revocation struct {
	Target
	Of     string    // the user of a Session, if it was known
	At     time.Time // what is older counts no more; by the server's clock
	Reason string    // an operator's own words
}

// value is what the bucket holds.
type value struct {
	At     time.Time `json:"at"`
	Reason string    `json:"reason,omitempty"`
	User   string    `json:"user,omitempty"` // the user, or whose session; not every key can be read back
}

func (r Revocation) encode() ([]byte, error) {
	return json.Marshal(value{At: r.At, Reason: r.Reason, User: cmp.Or(r.User, r.Of)})
}

var errMalformed = errors.New("malformed revocation")

// decode reads a key's value. What cannot be read counts as of when it was written,
// and comes with an error.
func decode(key string, body []byte, written time.Time) (Revocation, error) {
	r := Revocation{At: written}
	var v value
	err := json.Unmarshal(body, &v)
	if err == nil && !v.At.IsZero() {
		r.At, r.Reason = v.At, v.Reason
	} else {
		err = errMalformed
	}
	if hash, ok := strings.CutPrefix(key, sessionKeys); ok {
		r.Session, r.Of = hash, v.User
		return r, err
	}
	if r.User = v.User; r.key() != key {
		r.User, err = "", errMalformed
	}
	return r, err
}
