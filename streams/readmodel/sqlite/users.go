package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"slices"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
)

const (
	// idsAtOnce are asked for by one statement.
	idsAtOnce = 250

	registerSQL = `INSERT INTO users (id, name, "offset", at) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`
	earlierSQL  = `SELECT count(*) > 0 FROM users WHERE id = ? AND "offset" < ?`

	selectUsersSQL = `SELECT id, name, "offset", at FROM users `
)

// register writes users and returns those whose id was taken.
func (w *writer) register(users []readmodel.Row) (refused []readmodel.DeadLetter, err error) {
	for i := range users {
		taken, err := w.registerOne(&users[i].Event)
		if err != nil {
			return nil, err
		}
		if taken {
			refused = append(refused, users[i].DeadLetter(readmodel.ReasonUserTaken))
		}
	}
	return refused, nil
}

func (w *writer) registerOne(e *event.Event) (taken bool, err error) {
	result, err := w.tx.StmtContext(w.ctx, w.user).ExecContext(w.ctx, e.Sender, e.SenderName, int64(e.Offset), readmodel.Nanoseconds(e.At))
	if err != nil {
		return false, err
	}
	if written, err := result.RowsAffected(); err != nil || written == 1 {
		return false, err
	}
	row := w.tx.StmtContext(w.ctx, w.earlier).QueryRowContext(w.ctx, e.Sender, int64(e.Offset))
	if err = row.Scan(&taken); err == nil && !taken {
		return false, fault.New("write users", fault.Corrupt, errBeyond)
	}
	return taken, err
}

// Users implements query.Model.
func (s *Store) Users(ctx context.Context, r query.UsersRequest) (reply query.UsersReply, err error) {
	if err := readmodel.CheckUsers(r); err != nil {
		return reply, err
	}
	err = s.read(ctx, "users", func(tx *snapshot) error {
		reply.Checkpoint = tx.checkpoint
		users, err := tx.usersFor(r)
		if err != nil {
			return err
		}
		n := readmodel.CutUsers(users)
		reply.Users, reply.Cut = users[:n], n < len(users)
		return nil
	})
	return reply, err
}

// usersFor reads all who are asked for, in descending offset.
func (s *snapshot) usersFor(r query.UsersRequest) (users []query.User, err error) {
	if len(r.IDs) == 0 {
		return collect(s, scanUser, s.newestUsers, r.Newest)
	}
	users = []query.User{} // as JSON a list, also when empty
	ids := slices.Compact(slices.Sorted(slices.Values(r.IDs)))
	for portion := range slices.Chunk(ids, idsAtOnce) {
		args := make([]any, idsAtOnce) // what is left is NULL, as nobody is called
		for i, id := range portion {
			args[i] = id
		}
		some, err := collect(s, scanUser, s.usersByID, args...)
		if err != nil {
			return nil, err
		}
		users = append(users, some...)
	}
	slices.SortFunc(users, func(a, b query.User) int { return cmp.Compare(b.Offset, a.Offset) })
	return users, nil
}

func scanUser(rows *sql.Rows) (u query.User, err error) {
	var at int64
	err = rows.Scan(&u.ID, &u.Name, &u.Offset, &at)
	u.At = timeOf(at)
	return u, err
}
