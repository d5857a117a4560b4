package sqlite

import (
	"cmp"
	"context"
	"errors"
	"iter"

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
SELECT CAST(w.user_id AS TEXT), CAST(w.conversation AS TEXT), w.last, d.last
FROM want w LEFT JOIN direct d ON d.user_id = w.user_id AND d.conversation = w.conversation
WHERE d.last IS NOT w.last
UNION ALL
SELECT CAST(d.user_id AS TEXT), CAST(d.conversation AS TEXT), NULL, d.last
FROM direct d
WHERE NOT (d.conversation >= 'dm:' AND d.conversation < 'dm;') OR NOT EXISTS (
	SELECT 1 FROM messages m WHERE m.conversation = d.conversation AND (m.sender = d.user_id OR m.recipient = d.user_id))`

// Direct implements readmodel.Reader.
func (r *Reader) Direct(ctx context.Context) iter.Seq2[readmodel.DirectDifference, error] {
	return func(yield func(readmodel.DirectDifference, error) bool) {
		const op = "read table direct"
		more, err := r.yieldMemberships(ctx, yield)
		if err = cmp.Or(r.still.check(op), failed(op, err)); err != nil && more {
			yield(readmodel.DirectDifference{}, err)
		}
	}
}

func (r *Reader) yieldMemberships(ctx context.Context, yield func(readmodel.DirectDifference, error) bool) (more bool, err error) {
	rows, err := r.db.QueryContext(ctx, membershipsSQL)
	if err != nil {
		return true, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var d readmodel.DirectDifference
		var want, have any
		if err := rows.Scan(&d.User, &d.Conversation, &want, &have); err != nil {
			return true, err
		}
		if number, is := have.(int64); is { // else it is wrong, or there is none
			d.Have = offsetFrom(number)
		}
		d.Want = offsetFrom(want)
		if !yield(d, nil) {
			return false, nil
		}
	}
	return true, rows.Err()
}
