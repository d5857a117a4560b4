package verify

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/tidemark-chat/tidemark/streams/event"
)

// claim says that the event at an offset is the only one of its key, or of its user. The key is 128 bits of its hash.
type claim struct {
	high, low uint64
	offset    uint64
}

var claims = codec[claim]{
	encode: func(c claim) []byte {
		b := make([]byte, 0, 24)
		b = binary.BigEndian.AppendUint64(b, c.high)
		b = binary.BigEndian.AppendUint64(b, c.low)
		return binary.BigEndian.AppendUint64(b, c.offset)
	},
	decode: func(b []byte) claim {
		return claim{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:]), binary.BigEndian.Uint64(b[16:])}
	},
	compare: func(a, b claim) int {
		return cmp.Or(cmp.Compare(a.high, b.high), cmp.Compare(a.low, b.low), cmp.Compare(a.offset, b.offset))
	},
}

// aUser is the bit that claims of users have set and others have not.
const aUser = 1

// claimOf is what an event claims, if anything. What a newer schema means by a key is not known here.
func claimOf(it *item, buffer []byte) (c claim, _ []byte, ok bool) {
	e := &it.event
	user := e.Known() && e.Type == event.Registered
	switch {
	case it.damage != nil || e.Schema != event.Schema:
		return c, buffer, false
	case user:
		buffer = append(buffer[:0], e.Sender...)
	case e.Key != "":
		buffer = binary.BigEndian.AppendUint64(buffer[:0], uint64(len(e.Scope)))
		buffer = append(append(buffer, e.Scope...), e.Key...)
	default:
		return c, buffer, false
	}
	sum := sha256.Sum256(buffer)
	c = claim{binary.BigEndian.Uint64(sum[:]), binary.BigEndian.Uint64(sum[8:]) &^ aUser, it.Offset}
	if user {
		c.low |= aUser
	}
	return c, buffer, true
}

// keyCheck finds keys that several events have, and users that are registered more than once, by sorting.
type keyCheck struct {
	ctx    context.Context
	found  *findings
	seen   *RulesReport
	sorter *sorter[claim]
	buffer []byte
}

func newKeyCheck(ctx context.Context, found *findings, seen *RulesReport) *keyCheck {
	return &keyCheck{ctx: ctx, found: found, seen: seen, sorter: newSorter(ctx, claims, chunk)}
}

func (k *keyCheck) take(it *item) error {
	c, buffer, ok := claimOf(it, k.buffer)
	k.buffer = buffer
	if ok {
		k.seen.Keys++
		k.sorter.add(c)
	}
	return nil
}

func (k *keyCheck) hole(_, _ uint64) error { return nil }

func (k *keyCheck) end() error {
	var first claim
	for c, err := range k.sorter.all() {
		if err != nil {
			return fmt.Errorf("sort keys: %w", err)
		}
		if first.offset == 0 || c.high != first.high || c.low != first.low {
			first = c
			continue
		}
		what := "this event has the scope and key of the one at offset %d"
		if c.low&aUser != 0 {
			what = "this event registers the user who is registered at offset %d"
		}
		k.found.add(Finding{Offset: c.offset, What: fmt.Sprintf(what, first.offset)})
	}
	return k.ctx.Err() // a sorter that is stopped may end without an error
}

func (k *keyCheck) close() { k.sorter.close() }
