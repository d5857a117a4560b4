package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"maps"
	"math"
	"slices"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

const (
	noteColumns = 3

	noteSQL  = `INSERT INTO direct (user_id, conversation, last) VALUES `
	raiseSQL = ` ON CONFLICT (user_id, conversation) DO UPDATE SET last = excluded.last`

	// Of an inbox, the conversations whose news begin first: what is left out
	// has nothing before the first news of each of these.
	inboxSQL = `SELECT conversation FROM direct d WHERE user_id = ?1 AND last > ?2
		ORDER BY (SELECT min("offset") FROM messages m WHERE m.conversation = d.conversation AND m."offset" > ?2) LIMIT ?3`
	newestDirectSQL = `SELECT conversation FROM direct WHERE user_id = ? ORDER BY last DESC LIMIT ?`
)

// membership is the key of the table direct.
type membership struct{ user, conversation string }

// lasts finds, for each user and direct conversation among some messages, the
// last offset, leaving out the messages that were refused.
func lasts(messages []readmodel.Row, refused []readmodel.DeadLetter) map[membership]uint64 {
	found := make(map[membership]uint64)
	for i := range messages {
		e := &messages[i].Event
		if e.Conversation.Kind != subject.DM ||
			slices.ContainsFunc(refused, func(d readmodel.DeadLetter) bool { return d.Offset == e.Offset }) {
			continue
		}
		for _, topic := range e.Topics() {
			if user, is := topic.InboxOf(); is {
				found[membership{user, e.Conversation.String()}] = e.Offset
			}
		}
	}
	return found
}

// note writes what lasts has found, in the order of the key.
func (w *writer) note(found map[membership]uint64) error {
	sorted := slices.SortedFunc(maps.Keys(found), func(a, b membership) int {
		return cmp.Or(cmp.Compare(a.user, b.user), cmp.Compare(a.conversation, b.conversation))
	})
	return inBulk(w, w.direct, sorted, func(statement *sql.Stmt, portion []membership) error {
		args := make([]any, 0, len(portion)*noteColumns)
		for _, m := range portion {
			args = append(args, m.user, m.conversation, int64(found[m]))
		}
		_, err := statement.ExecContext(w.ctx, args...)
		return err
	})
}

// Direct implements query.Model. It reads no more conversations than go into
// the answer.
func (s *Store) Direct(ctx context.Context, r query.DirectRequest) (reply query.DirectReply, err error) {
	if err := readmodel.CheckDirect(r); err != nil {
		return reply, err
	}
	err = s.read(ctx, "direct conversations", func(tx *snapshot) error {
		reply.Checkpoint = tx.checkpoint
		conversations, err := collect(tx, scanName, tx.newestDirect, r.User, r.Conversations)
		if err != nil {
			return err
		}
		reply.Events, err = tx.latest(conversations, r.Messages)
		return err
	})
	return reply, err
}

// latest reads the newest n messages of each conversation, as many as one answer
// holds.
func (s *snapshot) latest(conversations []string, n int) ([]event.Event, error) {
	var budget readmodel.Budget
	events := []event.Event{} // as JSON a list, also when empty
	for _, conversation := range conversations {
		some, err := s.events(s.page, conversation, int64(math.MaxInt64), n)
		if err != nil {
			return nil, err
		}
		some = readmodel.Share(some, len(conversations))
		for i := range some {
			if !budget.Take(&some[i]) {
				return events, nil
			}
			events = append(events, some[i])
		}
	}
	return events, nil
}

func scanName(rows *sql.Rows) (name string, err error) {
	err = rows.Scan(&name)
	return name, err
}
