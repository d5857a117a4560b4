// Package session keeps who is behind a session: a key-value bucket in the
// log's server, so that any gateway knows a session that another one made.
//
//	id (32 hex digits, the client's secret) ── SHA-256 ──▶ key ──▶ {"userID", "username"}
//
// It promises:
//   - the bucket never holds an id, so that who can read it can be nobody else.
//   - a session is known to every gateway once Create has returned: reads are
//     answered by the bucket's leader, never by a replica that may lag.
//   - a session ends a lifetime after Create or its last Renew, and one that
//     was revoked (its key deleted) stays so.
//   - no call hangs: without a connection it fails at once, otherwise by the
//     end of its context or after 5 s.
package session

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/fault"
)

// ErrUnknown says that there is no such session: it never was, has expired, was
// revoked, or the id is none.
var ErrUnknown = errors.New("unknown session")

var errDisconnected = errors.New("no connection to nats-server")

// User is who a session belongs to.
type User struct {
	ID   string `json:"userID"`
	Name string `json:"username"`
}

// NewID makes an id for a session or a user: 128 random bits as 32 hex digits.
func NewID() (string, error) {
	var bits [16]byte
	if _, err := rand.Read(bits[:]); err != nil {
		return "", err
	}
	return hex.EncodeToString(bits[:]), nil
}

// wellFormed reports whether NewID could have made an id.
func wellFormed(id string) bool {
	for i := range len(id) {
		if c := id[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(id) == 32
}

func key(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])
}

// Store is the sessions. Safe for concurrent use. Its errors are Temporary
// where nothing else is said.
type Store struct {
	js     jetstream.JetStream
	config Config
	handle atomic.Pointer[jetstream.KeyValue] // set once the bucket was found
}

// Open makes a Store of a connection's JetStream. It does not talk to the server.
func Open(js jetstream.JetStream, config Config) *Store {
	return &Store{js: js, config: config.withDefaults()}
}

// Create stores a session under an id of NewID. Repeating it is harmless; an
// id that is malformed or another user's is a Permanent error.
func (s *Store) Create(ctx context.Context, id string, u User) error {
	const op = "create session"
	if !wellFormed(id) {
		return fault.Errorf(op, fault.Permanent, "an id is 32 lower-case hex digits")
	}
	value, err := json.Marshal(u)
	if err != nil {
		return fault.New(op, fault.Permanent, err)
	}
	sessions, err := s.bucket(ctx)
	if err != nil {
		return fault.New(op, fault.Temporary, err)
	}
	_, err = sessions.Create(ctx, key(id), value)
	if errors.Is(err, jetstream.ErrKeyExists) {
		entry, err := s.get(ctx, op, id)
		if err == nil && string(entry.Value()) != string(value) {
			return fault.Errorf(op, fault.Permanent, "the id is taken")
		}
		return err
	}
	return s.failed(op, err)
}

// Find returns the user of a session, or ErrUnknown, and renews the session if
// that is due. Corrupt if the bucket holds something else.
func (s *Store) Find(ctx context.Context, id string) (User, error) {
	const op = "find session"
	entry, err := s.get(ctx, op, id)
	if err != nil {
		return User{}, err
	}
	var u User
	if err := json.Unmarshal(entry.Value(), &u); err != nil {
		return User{}, fault.New(op, fault.Corrupt, err)
	}
	if err := s.renew(ctx, op, id, entry); errors.Is(err, ErrUnknown) {
		return User{}, err
	}
	return u, nil // a renewal that failed is due again the next time
}

// Renew begins a session's lifetime anew, unless that was done in the last tenth
// of it. ErrUnknown if there is none any more.
func (s *Store) Renew(ctx context.Context, id string) error {
	const op = "renew session"
	entry, err := s.get(ctx, op, id)
	if err != nil {
		return err
	}
	return s.renew(ctx, op, id, entry)
}

func (s *Store) renew(ctx context.Context, op, id string, entry jetstream.KeyValueEntry) error {
	if time.Since(entry.Created()) < s.config.TTL/10 {
		return nil
	}
	sessions, err := s.bucket(ctx)
	if err != nil {
		return fault.New(op, fault.Temporary, err)
	}
	// At this revision only: what was revoked meanwhile must not come back.
	_, err = sessions.Update(ctx, entry.Key(), entry.Value(), entry.Revision())
	if errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
		_, err = s.get(ctx, op, id) // revoked, or just renewed by another gateway
		return err
	}
	return s.failed(op, err)
}

func (s *Store) get(ctx context.Context, op, id string) (jetstream.KeyValueEntry, error) {
	if !wellFormed(id) {
		return nil, fault.New(op, fault.Permanent, ErrUnknown)
	}
	sessions, err := s.bucket(ctx)
	if err != nil {
		return nil, fault.New(op, fault.Temporary, err)
	}
	entry, err := sessions.Get(ctx, key(id))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil, fault.New(op, fault.Permanent, ErrUnknown)
	}
	return entry, s.failed(op, err)
}

// bucket fails at once while there is no connection. A bucket that has gone is
// made again: it is not the log, and without it nobody could connect.
func (s *Store) bucket(ctx context.Context) (jetstream.KeyValue, error) {
	if !s.js.Conn().IsConnected() {
		return nil, errDisconnected
	}
	if found := s.handle.Load(); found != nil {
		return *found, nil
	}
	found, err := s.js.KeyValue(ctx, bucketName)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		if err := s.Provision(ctx); err != nil {
			return nil, err
		}
		found, err = s.js.KeyValue(ctx, bucketName)
	}
	if err == nil {
		s.handle.Store(&found)
	}
	return found, err
}

// failed makes the error of an operation on the bucket, and has it looked for
// again if it has gone.
func (s *Store) failed(op string, err error) error {
	if errors.Is(err, jetstream.ErrStreamNotFound) || errors.Is(err, jetstream.ErrNoStreamResponse) || errors.Is(err, nats.ErrNoResponders) {
		s.handle.Store(nil)
	}
	return fault.New(op, fault.Temporary, err)
}
