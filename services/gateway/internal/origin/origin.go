// Package origin lets a connection recognise the events that it made itself, by
// nothing but their ids.
//
// Some events must not go back to the socket that sent them, neither live nor
// while that socket is catching up, which may be long after they were stored. A
// message without an idempotency key carries nothing to know it by, and a list of
// what was sent would have to be bounded, and to forget. So the id itself is the
// mark: a UUIDv7 (RFC 9562) whose last 62 bits are a hash of the rest and of a
// secret that only this connection has.
//
//	 48 bits           4   12              2    62
//	┌─────────────────┬───┬───────────────┬────┬───────────────────────────────┐
//	│ Unix time in ms │ 7 │ which of this │ 10 │ SHA-256 of the secret and the │
//	│                 │   │ millisecond   │    │ 64 bits before the "10"       │
//	└─────────────────┴───┴───────────────┴────┴───────────────────────────────┘
//
// To everybody else the end looks random, and nothing tells that two ids were made
// on one connection.
package origin

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// PerMillisecond is how many ids of one connection fit into one millisecond.
// Those made beyond that take their time from the next: ids stay unique, and
// run ahead of the clock while that lasts.
const PerMillisecond = 1 << counterBits

const counterBits = 12

// Origin makes and recognises the ids of one connection. It does not grow. Safe
// for concurrent use.
type Origin struct {
	secret [16]byte
	// newest is the newest id's time (48 bits) and its number within that
	// millisecond (12 bits); 0 before the first.
	newest atomic.Uint64
}

// New makes an origin with a secret of its own.
func New() *Origin {
	o := new(Origin)
	_, _ = rand.Read(o.secret[:]) // never fails
	return o
}

// NewID makes an id. No two are alike, and their times never go back, even where
// now does.
func (o *Origin) NewID(now time.Time) string {
	ms, number := o.next(uint64(max(0, now.UnixMilli())))
	return o.id(ms<<16 | 7<<counterBits | number).String()
}

// next takes the next place: the first one of this millisecond, or the one behind
// the newest.
func (o *Origin) next(now uint64) (ms, number uint64) {
	for {
		newest := o.newest.Load()
		place := max(newest+1, now<<counterBits)
		if o.newest.CompareAndSwap(newest, place) {
			return place >> counterBits, place % PerMillisecond
		}
	}
}

// Made reports whether this connection made an id. Most others are told by their
// time alone: they are younger than its newest.
func (o *Origin) Made(id string) bool {
	if len(id) != 36 { // of the forms that uuid.Parse reads, the one that NewID writes
		return false
	}
	u, err := uuid.Parse(id)
	if err != nil {
		return false
	}
	head := binary.BigEndian.Uint64(u[:8])
	return head>>16 <= o.newest.Load()>>counterBits && u == o.id(head)
}

// id completes the first 64 bits of an id.
func (o *Origin) id(head uint64) (u uuid.UUID) {
	binary.BigEndian.PutUint64(u[:8], head)
	binary.BigEndian.PutUint64(u[8:], 0b10<<62|o.hash(head)>>2)
	return u
}

// hash is 64 bits that nobody can tell from random ones without the secret.
func (o *Origin) hash(head uint64) uint64 {
	var input [24]byte // of one length always, so that the secret may simply go first
	copy(input[:16], o.secret[:])
	binary.BigEndian.PutUint64(input[16:], head)
	sum := sha256.Sum256(input[:])
	return binary.BigEndian.Uint64(sum[:8])
}
