package postgres

import (
	"context"
	"iter"

	"github.com/jackc/pgx/v5"

	"github.com/tidemark-chat/tidemark/streams/readmodel"
)

// The conversations between two are those named dm:<hash>. What is in the table for reasons that are not in the messages
// comes last.
const membershipsSQL = `
WITH member (user_id, conversation, last) AS (
	SELECT sender, conversation, max("offset") FROM messages
	WHERE conversation >= 'dm:' AND conversation < 'dm;' GROUP BY conversation, sender
	UNION ALL
	SELECT recipient, conversation, max("offset") FROM messages
	WHERE conversation >= 'dm:' AND conversation < 'dm;' GROUP BY conversation, recipient
), want (user_id, conversation, last) AS (
	SELECT user_id, conversation, max(last) FROM member GROUP BY conversation, user_id
)
SELECT coalesce(w.user_id, d.user_id), coalesce(w.conversation, d.conversation), coalesce(w.last, 0), coalesce(d.last, 0)
FROM want w FULL JOIN direct d ON d.user_id = w.user_id AND d.conversation = w.conversation
WHERE d.last IS DISTINCT FROM w.last`

// Direct implements readmodel.Reader.
func (r *Reader) Direct(ctx context.Context) iter.Seq2[readmodel.DirectDifference, error] {
	return func(yield func(readmodel.DirectDifference, error) bool) {
		if more, err := r.yieldMemberships(ctx, yield); err != nil && more {
			yield(readmodel.DirectDifference{}, failed("read table direct", err))
		}
	}
}

// yieldMemberships reads the tables whole, which the reader's connections are otherwise kept from.
func (r *Reader) yieldMemberships(ctx context.Context, yield func(readmodel.DirectDifference, error) bool) (more bool, err error) {
	more = true
	err = pgx.BeginTxFunc(ctx, r.pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL enable_seqscan = on"); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, membershipsSQL)
		if err != nil {
			return err
		}
		defer rows.Close()
		for more && rows.Next() {
			var user, conversation []byte
			var want, have int64
			if err := rows.Scan(&user, &conversation, &want, &have); err != nil {
				return err
			}
			more = yield(readmodel.DirectDifference{
				User: string(user), Conversation: string(conversation), Want: uint64(max(want, 0)), Have: uint64(max(have, 0)),
			}, nil)
		}
		rows.Close()
		return rows.Err()
	})
	return more, err
}
