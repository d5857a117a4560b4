package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
)

const (
	// appendTimeout bounds a transaction whose server no longer answers. Whether it was committed is then seen from the checkpoint.
	appendTimeout = 30 * time.Second

	advanceSQL = `UPDATE checkpoint SET "offset" = $1, at = $2, epoch = $3, digest = $4 WHERE "offset" = $5 AND epoch = $6`
	buryingSQL = `INSERT INTO dead_letter ("offset", through, reason, at, subject, headers, content)
		SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bigint[], $5::bytea[], $6::bytea[], $7::bytea[])`
)

var errBeyond = errors.New("the tables have rows beyond the checkpoint")

// Append implements readmodel.Store.
func (s *Store) Append(ctx context.Context, b readmodel.Batch) (refused []readmodel.DeadLetter, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), appendTimeout)
	defer cancel()
	// In another isolation a writer that comes second would be told to try again instead of that it is fenced.
	err = pgx.BeginTxFunc(ctx, s.writer, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) (err error) {
		refused, err = (&writer{ctx, tx}).write(b)
		return err
	})
	if err != nil {
		return nil, s.failed(ctx, "append to the read model", err)
	}
	return refused, nil
}

// writer writes one batch in one transaction.
type writer struct {
	ctx context.Context
	tx  pgx.Tx
}

func (w *writer) write(b readmodel.Batch) (refused []readmodel.DeadLetter, err error) {
	if err := w.move(b.Previous, b.Next); err != nil {
		return nil, err
	}
	if refused, err = w.insert(b.Messages); err != nil {
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
	return refused, errors.Join(w.bury(b.DeadLetters), w.bury(refused))
}

// move advances the checkpoint if it is where it was left. It comes first, so
// that of two writers one waits here for the row and then finds it moved.
func (w *writer) move(previous, next readmodel.Position) error {
	moved, err := w.tx.Exec(w.ctx, advanceSQL, int64(next.Offset), readmodel.Nanoseconds(next.At), []byte(next.Epoch), digestText(next.Digest),
		int64(previous.Offset), []byte(previous.Epoch))
	if err == nil && moved.RowsAffected() != 1 {
		err = readmodel.ErrFenced
	}
	return err
}

func (w *writer) bury(letters []readmodel.DeadLetter) error {
	if len(letters) == 0 {
		return nil
	}
	var offset, through []int64
	var at []*int64 // of what was not stored, all that follows is NULL
	var reason, subject, headers, content [][]byte
	for _, d := range letters {
		offset, through, reason = append(offset, int64(d.Offset)), append(through, int64(d.Through)), append(reason, []byte(d.Reason))
		if d.Stored.Subject == "" {
			at, subject, headers, content = append(at, nil), append(subject, nil), append(headers, nil), append(content, nil)
			continue
		}
		stored := readmodel.Nanoseconds(d.At)
		at, subject = append(at, &stored), append(subject, []byte(d.Stored.Subject))
		headers, content = append(headers, readmodel.HeaderText(d.Stored.Header)), append(content, append([]byte{}, d.Stored.Content...))
	}
	_, err := w.tx.Exec(w.ctx, buryingSQL, offset, through, reason, at, subject, headers, content)
	return err
}

// offsets runs a statement that returns offsets.
func (w *writer) offsets(statement string, args ...any) (map[uint64]bool, error) {
	rows, err := w.tx.Query(w.ctx, statement, args...)
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	found := make(map[uint64]bool, len(list))
	for _, offset := range list {
		found[uint64(offset)] = true
	}
	return found, err
}

// beyond is what it means that rows are there which this writer has not written.
func beyond(op string) error { return fault.New(op, fault.Corrupt, errBeyond) }
