package session

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/fault"
)

// Hash is what the bucket knows a session by: the SHA-256 of its id as 64 hex digits.
func Hash(id string) string { return key(id) }

// IsID reports whether id could be that of a session, and IsHash whether hash could be
// its Hash.
func IsID(id string) bool { return wellFormed(id) }

// IsHash: see IsID.
func IsHash(hash string) bool {
	sum, err := hex.DecodeString(hash)
	return err == nil && len(sum) == 32 && hex.EncodeToString(sum) == hash
}

// Owner is the user of a session, known by its Hash; ErrUnknown if there is none.
func (s *Store) Owner(ctx context.Context, hash string) (User, error) {
	const op = "look up a session's user"
	sessions, err := s.hashed(ctx, op, hash)
	if err != nil {
		return User{}, err
	}
	entry, err := sessions.Get(ctx, hash)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return User{}, fault.New(op, fault.Permanent, ErrUnknown)
	}
	if err != nil {
		return User{}, s.failed(op, err)
	}
	var u User
	return u, fault.New(op, fault.Corrupt, json.Unmarshal(entry.Value(), &u))
}

// Remove ends a session for good, known by its Hash, whether there is one or not.
func (s *Store) Remove(ctx context.Context, hash string) error {
	const op = "remove session"
	sessions, err := s.hashed(ctx, op, hash)
	if err != nil {
		return err
	}
	return s.failed(op, sessions.Delete(ctx, hash))
}

func (s *Store) hashed(ctx context.Context, op, hash string) (jetstream.KeyValue, error) {
	if !IsHash(hash) {
		return nil, fault.New(op, fault.Permanent, ErrUnknown)
	}
	sessions, err := s.bucket(ctx)
	return sessions, fault.New(op, fault.Temporary, err)
}
