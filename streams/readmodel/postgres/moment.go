package postgres

import (
	"context"

	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
)

// momentSQL finds the last message of a conversation at a time. Times ascend with offsets, so that the place is found by
// halving the span of offsets in which it must be: as many seeks as an offset has bits, and no index of times.
//
// The last message up to low is of that time or earlier, and the first one after
// high is later: each step sees to that even where the clock was set back. The first step looks at the last message.
const momentSQL = `
WITH RECURSIVE step (low, high, middle, found) AS (
	SELECT 0::bigint, 9223372036854775807, 9223372036854775807, 0::bigint
	UNION ALL
	SELECT low, high, low + (high - low + 1) / 2, found FROM (
		SELECT
			CASE WHEN m.at > $2 THEN low ELSE middle END AS low,
			CASE WHEN m.at > $2 THEN m."offset" - 1 ELSE high END AS high,
			CASE WHEN m.at <= $2 THEN m."offset" ELSE found END AS found
		FROM step LEFT JOIN LATERAL (
			SELECT "offset", at FROM messages
			WHERE (sha256(conversation), "offset") > (sha256($1), step.low) AND (sha256(conversation), "offset") <= (sha256($1), step.middle)
			ORDER BY sha256(conversation) DESC, "offset" DESC LIMIT 1
		) m ON true
		WHERE step.low < step.high
	) halved
)
SELECT found FROM step WHERE low >= high`

// Moment implements query.Model.
func (s *Store) Moment(ctx context.Context, r query.MomentRequest) (reply query.MomentReply, err error) {
	if r, err = readmodel.CheckMoment(r); err != nil {
		return reply, err
	}
	err = s.read(ctx, "moment of a conversation", func(tx *snapshot) error {
		reply.Checkpoint = tx.checkpoint
		return tx.tx.QueryRow(tx.ctx, momentSQL, []byte(r.Conversation.String()), readmodel.Nanoseconds(r.At)).Scan(&reply.Offset)
	})
	return reply, err
}
