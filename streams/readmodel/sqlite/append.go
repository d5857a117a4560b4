package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
)

const (
	// rowsAtOnce are written by one statement; more does not pay.
	rowsAtOnce = 25
	columns    = 11

	advanceSQL = `UPDATE checkpoint SET "offset" = ?, at = ?, epoch = ?, digest = ? WHERE "offset" = ? AND epoch = ?`
	insertSQL  = `INSERT INTO messages
		(conversation, "offset", id, at, sender, sender_name, recipient, scope, "key", content, digest) VALUES `
	// Only a taken key is passed over. A row that is there already is one
	// beyond the checkpoint, and an error.
	passTakenSQL = ` ON CONFLICT (scope, "key") WHERE "key" IS NOT NULL DO NOTHING`
	existsSQL    = `SELECT count(*) FROM messages WHERE conversation = ? AND "offset" = ?`
	buryMessage  = `INSERT INTO dead_letter ("offset", through, reason, at, subject, headers, content) VALUES (?, ?, ?, ?, ?, ?, ?)`
)

var errBeyond = errors.New("the tables have rows beyond the checkpoint")

// bulk is one statement twice: for one row and for rowsAtOnce.
type bulk struct{ one, many *sql.Stmt }

type appendStatements struct {
	messages, direct                     bulk
	advance, exists, user, earlier, bury *sql.Stmt
}

func prepareAppend(ctx context.Context, db *sql.DB) (s appendStatements, err error) {
	err = prepare(ctx, db, map[**sql.Stmt]string{
		&s.advance:       advanceSQL,
		&s.messages.one:  insertSQL + places(columns, 1) + passTakenSQL,
		&s.messages.many: insertSQL + places(columns, rowsAtOnce) + passTakenSQL,
		&s.exists:        existsSQL,
		&s.direct.one:    noteSQL + places(noteColumns, 1) + raiseSQL,
		&s.direct.many:   noteSQL + places(noteColumns, rowsAtOnce) + raiseSQL,
		&s.user:          registerSQL,
		&s.earlier:       earlierSQL,
		&s.bury:          buryMessage,
	})
	return s, err
}

// places is what VALUES has for some rows: "(?, ?), (?, ?)".
func places(columns, rows int) string {
	row := "(" + strings.Repeat("?, ", columns-1) + "?)"
	return strings.Repeat(row+", ", rows-1) + row
}

func prepare(ctx context.Context, db *sql.DB, statements map[**sql.Stmt]string) (err error) {
	for to, text := range statements {
		if *to, err = db.PrepareContext(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

// Append implements readmodel.Store.
func (s *Store) Append(ctx context.Context, b readmodel.Batch) ([]readmodel.DeadLetter, error) {
	const op = "append to the read model"
	// A context that can end costs a goroutine for each statement, and a
	// transaction in hand is finished anyway.
	ctx = context.WithoutCancel(ctx)
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return nil, failed(op, err)
	}
	w := writer{ctx: ctx, tx: tx, appendStatements: s.append}
	refused, err := w.write(b)
	if err != nil {
		_ = tx.Rollback() // the first error says what happened
		return nil, failed(op, err)
	}
	return refused, failed(op, tx.Commit())
}

// writer writes one batch in one transaction.
type writer struct {
	ctx context.Context
	tx  *sql.Tx
	appendStatements
}

func (w *writer) write(b readmodel.Batch) (refused []readmodel.DeadLetter, err error) {
	if err := w.move(b.Previous, b.Next); err != nil {
		return nil, err
	}
	if refused, err = w.insertAll(b.Messages); err != nil {
		return nil, err
	}
	if err := w.note(lasts(b.Messages, refused)); err != nil {
		return nil, err
	}
	taken, err := w.register(b.Users)
	if err != nil {
		return nil, err
	}
	refused = append(refused, taken...)
	for _, letters := range [][]readmodel.DeadLetter{b.DeadLetters, refused} {
		for _, d := range letters {
			if err := w.buryOne(d); err != nil {
				return nil, err
			}
		}
	}
	return refused, nil
}

// inBulk gives rows to write in portions that fit a statement.
func inBulk[T any](w *writer, b bulk, rows []T, write func(*sql.Stmt, []T) error) error {
	one, many := w.tx.StmtContext(w.ctx, b.one), w.tx.StmtContext(w.ctx, b.many)
	for len(rows) > 0 {
		statement, n := one, 1
		if len(rows) >= rowsAtOnce {
			statement, n = many, rowsAtOnce
		}
		if err := write(statement, rows[:n]); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// move advances the checkpoint if it is where it was left. It comes first, so
// that of two writers one waits here and then finds it moved.
func (w *writer) move(previous, next readmodel.Position) error {
	moved, err := w.tx.StmtContext(w.ctx, w.advance).ExecContext(w.ctx,
		int64(next.Offset), readmodel.Nanoseconds(next.At), next.Epoch, digestText(next.Digest), int64(previous.Offset), previous.Epoch)
	if err != nil {
		return err
	}
	if n, err := moved.RowsAffected(); err != nil || n != 1 {
		return errorOr(err, readmodel.ErrFenced)
	}
	return nil
}

// insertAll writes messages and returns those whose key was taken.
func (w *writer) insertAll(messages []readmodel.Row) (refused []readmodel.DeadLetter, err error) {
	err = inBulk(w, w.messages, messages, func(statement *sql.Stmt, portion []readmodel.Row) error {
		taken, err := w.insert(statement, portion)
		refused = append(refused, taken...)
		return err
	})
	return refused, err
}

func (w *writer) insert(statement *sql.Stmt, messages []readmodel.Row) (refused []readmodel.DeadLetter, err error) {
	args := make([]any, 0, len(messages)*columns)
	for i := range messages {
		args = appendRow(args, &messages[i].Event)
	}
	result, err := statement.ExecContext(w.ctx, args...)
	if err != nil {
		return nil, err
	}
	written, err := result.RowsAffected()
	if err != nil || written == int64(len(messages)) {
		return nil, err
	}
	for _, m := range messages {
		var n int64
		row := w.tx.StmtContext(w.ctx, w.exists).QueryRowContext(w.ctx, m.Event.Conversation.String(), int64(m.Event.Offset))
		if err := row.Scan(&n); err != nil {
			return nil, err
		}
		if n == 0 {
			refused = append(refused, m.DeadLetter(readmodel.ReasonKeyTaken))
		}
		written -= n
	}
	if written != 0 { // some were there before, under the same key
		return nil, fault.New("write messages", fault.Corrupt, errBeyond)
	}
	return refused, nil
}

// appendRow adds the values of readmodel.MessageRow, in the types of the table.
func appendRow(args []any, e *event.Event) []any {
	var key any
	if e.Key != "" {
		key = e.Key
	}
	return append(args, e.Conversation.String(), int64(e.Offset), e.ID, readmodel.Nanoseconds(e.At),
		e.Sender, e.SenderName, e.Recipient, e.Scope, key, e.Content, e.Digest.String())
}

func (w *writer) buryOne(d readmodel.DeadLetter) error {
	var at, subject, headers, content any
	if d.Stored.Subject != "" {
		at, subject = readmodel.Nanoseconds(d.At), d.Stored.Subject
		headers, content = readmodel.HeaderText(d.Stored.Header), d.Stored.Content
		if d.Stored.Content == nil {
			content = []byte{} // NULL is for what was not stored
		}
	}
	_, err := w.tx.StmtContext(w.ctx, w.bury).ExecContext(w.ctx,
		int64(d.Offset), int64(d.Through), d.Reason, at, subject, headers, content)
	return err
}

func errorOr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}
