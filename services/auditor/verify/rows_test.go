package verify_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/tidemark-chat/tidemark/services/auditor/verify"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/readmodel/sqlite"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// modelOnly verifies the read model alone.
func (w *world) modelOnly() *verify.Report {
	o := w.options()
	o.Parts = []verify.Part{verify.OfReadModel}
	return verify.Run(w.t.Context(), o)
}

// small is a log of which each offset is known: messages, users, one dead letter of each kind.
//
//	1 2 3   messages to rooms          6  damaged
//	4       from a to b                7  the key of 3 again
//	5       a user                     8  the user of 5 again
//	                                   9  lost, 10 a message
func small(t *testing.T) *world {
	w := newWorld(t, 1)
	room := func(content, key string) *nats.Msg {
		e := logtest.Keyed(t, "general", content, key)
		m := e.Encode()
		m.Header.Set(nats.MsgIdHdr, nats.NewInbox())
		return m
	}
	w.publish(room("one", "k1"))
	w.publish(room("two", "k2"))
	w.publish(room("three", "k3"))
	direct := logtest.Message(t, "", "direct")
	direct.Sender, direct.SenderName, direct.Recipient = "a", "Anna", "b"
	direct.Conversation = subject.Conversation{Kind: subject.DM, Name: subject.PairName("a", "b")}
	direct.Seal()
	logtest.Publish(t, w.js, direct)
	user, err := event.NewRegistered("a", "Anna")
	w.must(err)
	logtest.Publish(t, w.js, user)
	damaged := room("sealed", "k6")
	damaged.Data = []byte("forged")
	w.publish(damaged)
	w.publish(room("three again", "k3"))
	logtest.Publish(t, w.js, user)
	logtest.Publish(t, w.js, logtest.Message(t, "general", "lost"), logtest.Message(t, "general", "ten"))
	w.lose(9)
	w.project()
	wantFindings(t, w.modelOnly())
	return w
}

func TestWhatIsDoneToARowIsFound(t *testing.T) {
	// added is a row like that of offset 1, at another one.
	added := func(offset string) string {
		return `INSERT INTO messages SELECT 'room:other', ` + offset + `, id, at, sender, sender_name, recipient, scope, NULL, content, digest FROM messages WHERE "offset" = 1`
	}
	for _, test := range []struct{ does, want string }{
		{`DELETE FROM messages WHERE "offset" = 2`, `read model 2: messages lacks`},
		{`DELETE FROM messages WHERE "offset" = 1`, `read model 1: messages lacks`},
		{`DELETE FROM dead_letter WHERE "offset" = 6`, `read model 6: dead_letter lacks`},
		{`DELETE FROM dead_letter WHERE "offset" = 7`, `read model 7: messages lacks`},
		{`DELETE FROM dead_letter WHERE "offset" = 8`, `read model 8: users lacks`},
		{`DELETE FROM dead_letter WHERE "offset" = 9`, `read model 9: the read model says nothing of 1 of the 1`},
		{`UPDATE messages SET content = 'never' || char(27) WHERE "offset" = 1`, `read model 1: messages has a row altered: content is "never\\x1b" and must be "one"`},
		{`UPDATE messages SET at = at + 1 WHERE "offset" = 1`, `read model 1: .*altered: at is`},
		{`UPDATE messages SET "key" = NULL WHERE "offset" = 2`, `read model 2: .*altered: key is NULL and must be "k2"`},
		{`UPDATE messages SET content = CAST(content AS BLOB) WHERE "offset" = 2`, `read model 2: .*altered: content is "two", of another type`},
		{`UPDATE users SET name = 'Mallory' WHERE "offset" = 5`, `read model 5: users has a row altered: name is "Mallory"`},
		{`UPDATE dead_letter SET content = 'sealed' WHERE "offset" = 6`, `read model 6: dead_letter .*content is "sealed"`},
		{`UPDATE dead_letter SET headers = 'x' WHERE "offset" = 6`, `read model 6: dead_letter .*headers is "x"`},
		{`UPDATE dead_letter SET through = 10 WHERE "offset" = 9`, `read model 9: dead_letter has a row that does not belong there`},
		{`UPDATE dead_letter SET through = 10, reason = 'the log holds nothing at these 2 offsets' WHERE "offset" = 9`, `read model 9\.\.10: .*which is not the hole`},
		{added("3"), `read model 3: messages has a row that does not belong there`},
		{added("9"), `read model 9: messages has a row that does not belong there .*nothing here`},
		{added("11"), `read model 11: messages has a row .*no persister`},
		{added("-5"), `read model 0: messages has a row .*no persister`},
		{`INSERT INTO users VALUES ('m', 'Mallory', 2, 0)`, `read model 2: users has a row that does not belong`},
		{`INSERT INTO dead_letter VALUES (1, 1, 'x', NULL, NULL, NULL, NULL)`, `read model 1: dead_letter has a row that does not belong`},
		{`UPDATE direct SET last = 3 WHERE user_id = 'a'`, `read model 4: direct: .*said to go to offset 3; .*offset 4`},
		{`DELETE FROM direct WHERE user_id = 'b'`, `read model 4: direct: .*has no row`},
		{`INSERT INTO direct VALUES ('m', 'dm:x', 3)`, `read model 3: direct: .*no message`},
		{`UPDATE checkpoint SET digest = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'`, `read model 10: the checkpoint says .*digest`},
		{`UPDATE checkpoint SET at = at - 1`, `read model 10: the checkpoint says .* is of`},
		{`UPDATE checkpoint SET epoch = 'other'`, `read model 10: the read model is of another log: of epoch "other"`},
		{`UPDATE checkpoint SET "offset" = 14`, `read model 11\.\.14: .*the log ends at offset 10`},
	} {
		t.Run(test.does, func(t *testing.T) {
			w := small(t)
			w.change(test.does)
			wantFindings(t, w.modelOnly(), test.want)
		})
	}
}

func TestWhatStandsInTheWayMustBeThere(t *testing.T) {
	w := small(t)
	w.change(`DELETE FROM messages WHERE "offset" = 3`)
	w.change(`DELETE FROM users WHERE "offset" = 5`)
	wantFindings(t, w.modelOnly(),
		`read model 3: messages lacks`, `read model 5: users lacks`,
		`read model 7: .*an earlier event has this scope and key, but it holds no such one`,
		`read model 8: .*an earlier event has registered this user, but it holds no such one`)
}

func TestWhatIsLostAfterItWasProjectedIsInTheReadModel(t *testing.T) {
	w := small(t)
	w.lose(2)
	w.lose(8)
	wantFindings(t, w.modelOnly(),
		`read model 2: messages has a row .*content "two".*the log holds nothing here`,
		`read model 8: dead_letter has a row .*the log holds nothing here`)
}

func TestManyRowsAtOneOffsetAreFindings(t *testing.T) {
	w := small(t)
	for i := range 200 {
		w.change(`INSERT INTO messages SELECT 'room:' || ?, 3, id, at, sender, sender_name, recipient, scope, NULL, content, digest FROM messages WHERE "offset" = 1`, i)
	}
	if r := w.modelOnly(); r.Found != 200 {
		t.Errorf("%d findings", r.Found)
	}
}

func TestADatabaseThatIsNotThereIsToldWithTheWayAround(t *testing.T) {
	w := whole(t, 1, 30)
	o := w.options()
	o.Reader, o.NoReader = nil, errors.New("there is no \x1b database")
	r := verify.Run(t.Context(), o)
	if r.Result != verify.CouldNot || r.Checkpoints.Judged != 3 || r.Rules == nil {
		t.Errorf("%+v", r)
	}
	text := shown(t, r)
	if want := "could not check readmodel: there is no \\x1b database (to leave it out: --only log,checkpoints)\n"; !strings.HasSuffix(text, want) {
		t.Errorf("%q", text)
	}
	w.lose(3)
	if r := verify.Run(t.Context(), o); r.Result != verify.Findings {
		t.Errorf("findings must win: %s", shown(t, r))
	}
}

func TestADatabaseThatGoesAwayEndsItsPartOnly(t *testing.T) {
	w := whole(t, 1, 30)
	o := w.options()
	o.Reader = &broken{o.Reader, errors.New("disk I/O error")}
	r := verify.Run(t.Context(), o)
	if r.Result != verify.CouldNot || len(r.Unchecked) != 1 || r.Unchecked[0].Part != verify.OfReadModel || r.Checkpoints.Judged != 3 {
		t.Errorf("%s", shown(t, r))
	}
}

func TestWhatWasFoundInADatabaseThatIsWrittenToMeanwhileDoesNotStay(t *testing.T) {
	w := small(t)
	w.change(`UPDATE messages SET content = 'half a page' WHERE "offset" = 2`)
	o := w.options()
	o.Parts = []verify.Part{verify.OfLog, verify.OfReadModel}
	reader := o.Reader
	for err, stays := range map[error]bool{errors.New("disk I/O error"): true, fmt.Errorf("read table users: %w", sqlite.ErrWritten): false} {
		o.Reader = &broken{reader, err}
		r := verify.Run(t.Context(), o)
		found := map[verify.Rule]int{}
		for _, f := range r.Findings {
			found[f.Rule]++
		}
		if (found[verify.ReadModel] == 1) != stays || found[verify.Dense] != 1 || len(r.Unchecked) != 1 || r.Unchecked[0].Part != verify.OfReadModel {
			t.Errorf("%v: %s", err, shown(t, r))
		}
	}
}

// broken is a database of which one more user cannot be read.
type broken struct {
	readmodel.Reader
	err error
}

func (b *broken) Rows(ctx context.Context, table readmodel.Table, after, through uint64) iter.Seq2[readmodel.TableRow, error] {
	rows := b.Reader.Rows(ctx, table, after, through)
	if table != readmodel.Users {
		return rows
	}
	return func(yield func(readmodel.TableRow, error) bool) {
		for row, err := range rows {
			if !yield(row, err) {
				return
			}
		}
		yield(readmodel.TableRow{}, b.err)
	}
}
