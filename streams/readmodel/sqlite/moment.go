package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"math"

	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
)

// seekSQL finds the newest message of a conversation within a span of offsets: one
// descent of the primary key, and one row.
const seekSQL = `SELECT "offset", at FROM messages WHERE conversation = ? AND "offset" > ? AND "offset" <= ? ORDER BY "offset" DESC LIMIT 1`

// Moment implements query.Model. Times ascend with offsets, so that the place is
// found by halving the span of offsets in which it must be: as many seeks as an
// offset has bits, and no index of times.
//
// The last message up to low is of that time or earlier, and the first one after
// high is later: each step sees to that even where the clock was set back.
func (s *Store) Moment(ctx context.Context, r query.MomentRequest) (reply query.MomentReply, err error) {
	if r, err = readmodel.CheckMoment(r); err != nil {
		return reply, err
	}
	err = s.read(ctx, "moment of a conversation", func(tx *snapshot) error {
		reply.Checkpoint = tx.checkpoint
		found, err := tx.lastAt(r.Conversation.String(), readmodel.Nanoseconds(r.At))
		reply.Offset = found
		return err
	})
	return reply, err
}

// lastAt is the offset of the last message of a conversation at a time; 0 for none.
func (s *snapshot) lastAt(conversation string, at int64) (found uint64, err error) {
	statement := s.tx.StmtContext(s.ctx, s.seek)
	low, high := int64(0), int64(math.MaxInt64)
	for middle := high; low < high; middle = low + (high-low+1)/2 {
		var offset, stored int64
		err := statement.QueryRowContext(s.ctx, conversation, low, middle).Scan(&offset, &stored)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			low = middle
		case err != nil:
			return 0, err
		case stored <= at:
			low, found = middle, uint64(offset)
		default:
			high = offset - 1
		}
	}
	return found, nil
}
