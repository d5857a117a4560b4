package endtoend

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	_ "modernc.org/sqlite"

	"github.com/tidemark-chat/tidemark/streams/embedded"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

// events is how many there are before something is planted.
const events = 120

func TestAnUntouchedDeploymentIsClean(t *testing.T) {
	d := deploy(t)
	d.talk(events)
	for range 2 {
		if code, out := d.auditor("verify"); code != 0 || !regexp.MustCompile(`(?m)^clean`).MatchString(out) {
			t.Errorf("exit %d\n%s", code, out)
		}
		d.stop()
		d.start()
	}
}

// Each of these is what somebody with access to the files or the log's server can do.
func TestWhatIsPlantedIsFoundAndNamedWithItsOffset(t *testing.T) {
	for _, test := range []struct {
		name  string
		plant func(d *deployment)
		found string // a finding, as it begins
		args  []string
	}{
		{"a bit of a stored event is flipped in the store's file", func(d *deployment) {
			d.stop()
			flip(d, []byte(d.content(41)))
			d.start()
		}, `dense 42\b`, nil},
		{"a stored event is rewritten, checksum and all", func(d *deployment) {
			d.stop()
			rewrite(d, []byte(d.content(41)), func(_, content []byte) { copy(content, "FORGED") })
			d.start()
		}, `digest 42\b`, nil},
		{"and says that it is of a schema that nobody knows, and its row is deleted", func(d *deployment) {
			d.stop()
			rewrite(d, []byte(d.content(41)), func(header, content []byte) {
				schema := []byte("Tidemark-Schema: ")
				header[bytes.Index(header, schema)+len(schema)] = '2'
				copy(content, "FORGED")
			})
			d.start()
			change(d, `DELETE FROM messages WHERE "offset" = 42`)
		}, `checkpoint 42\b`, nil},
		{"a row is deleted", func(d *deployment) {
			change(d, `DELETE FROM messages WHERE "offset" = 43`)
		}, `read model 43\b.*lacks`, nil},
		{"a row is altered", func(d *deployment) {
			change(d, `UPDATE messages SET content = 'never said' WHERE "offset" = 44`)
		}, `read model 44\b.*content`, nil},
		{"a row is added", func(d *deployment) {
			change(d, `INSERT INTO messages SELECT 'room:other', 45, id || 'x', at, sender, sender_name, recipient, scope, NULL, content, digest FROM messages WHERE "offset" = 46`)
		}, `read model 45\b`, nil},
		{"a user's name is altered", func(d *deployment) {
			change(d, `UPDATE users SET name = 'mallory' WHERE "offset" = 2`)
		}, `read model 2\b.*name`, nil},
		{"an event is stored whose digest is not its own", func(d *deployment) {
			e, err := d.next(3)
			if err != nil {
				d.t.Fatal(err)
			}
			m := e.Encode()
			m.Data = []byte("forged")
			d.raw(m)
		}, `digest 121\b`, nil},
		{"a key is stored twice", func(d *deployment) {
			e, err := d.next(3)
			if err != nil {
				d.t.Fatal(err)
			}
			d.raw(e.Encode())
			m := e.Encode()
			m.Header.Set("Nats-Msg-Id", "another")
			d.raw(m)
		}, `key 122\b.*\b121\b`, nil},
		{"a checkpoint is signed by another key", forge, `checkpoint 121\b.*mallory`, nil},
		{"the read model is of a later time than the log", putBack, `read model 121\b`, nil},
		{"an older copy of the log is put back and has gone on", func(d *deployment) {
			putBack(d)
			d.connected(func(ctx context.Context, js jetstream.JetStream) error {
				for i := range 50 {
					e, err := d.next(i + 2)
					if err != nil {
						return err
					}
					if _, err := js.PublishMsg(ctx, e.Encode()); err != nil {
						return err
					}
				}
				return nil
			})
		}, `checkpoint 1[24]\d\b`, []string{"--only", "log,checkpoints", "--checkpoint", "EXPORTED"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := deploy(t)
			d.talk(events)
			test.plant(d)
			args := []string{"verify"}
			for _, arg := range test.args {
				if arg == "EXPORTED" {
					arg = d.exported()
				}
				args = append(args, arg)
			}
			code, out := d.auditor(args...)
			if code != 1 || !regexp.MustCompile(`(?m)^\s*`+test.found).MatchString(out) {
				t.Errorf("exit %d, and no %q in\n%s", code, test.found, out)
			}
		})
	}
}

// change changes the read model while the persister runs.
func change(d *deployment, statement string) {
	d.t.Helper()
	db, err := sql.Open("sqlite", "file:"+d.database()+"?_busy_timeout=5000")
	if err != nil {
		d.t.Fatal(err)
	}
	defer db.Close()
	result, err := db.Exec(statement)
	if err != nil {
		d.t.Fatal(err)
	}
	if n, err := result.RowsAffected(); n != 1 || err != nil {
		d.t.Fatalf("%d rows were changed, %v", n, err)
	}
}

// forge adds, while nobody looks, an event and a true checkpoint of it, signed by a key that nobody has been given.
func forge(d *deployment) {
	d.t.Helper()
	d.stop()
	server, err := embedded.Start(embedded.Config{Dir: filepath.Join(d.dir, "nats"), Listen: d.log})
	if err != nil {
		d.t.Fatal(err)
	}
	d.connected(func(ctx context.Context, js jetstream.JetStream) error {
		secret, _, err := note.GenerateKey(rand.Reader, "mallory")
		if err != nil {
			return err
		}
		signer, err := note.NewSigner(secret)
		if err != nil {
			return err
		}
		e, err := d.next(3)
		if err != nil {
			return err
		}
		ack, err := js.PublishMsg(ctx, e.Encode())
		if err != nil {
			return err
		}
		log := eventlog.Open(js)
		if e, err = log.Get(ctx, ack.Sequence); err != nil {
			return err
		}
		state, err := log.State(ctx)
		if err != nil {
			return err
		}
		audit := notary.OpenAudit(js)
		last, err := audit.Last(ctx)
		if err != nil {
			return err
		}
		tree, err := notary.Resume(last.Size, audit.Hashes(ctx, last))
		if err != nil {
			return err
		}
		forged, err := notary.MakeEntry(last, tree, []tlog.Hash{notary.Leaf(&e)}, state.Epoch, time.Now(), signer)
		if err != nil {
			return err
		}
		return audit.Append(ctx, last.Sequence, &forged)
	})
	server.Stop()
	d.start()
}

// putBack makes the log the copy of an hour ago, and leaves the read model as it is.
func putBack(d *deployment) {
	d.t.Helper()
	live, copied := filepath.Join(d.dir, "nats"), filepath.Join(d.t.TempDir(), "nats")
	d.stop()
	if err := os.CopyFS(copied, os.DirFS(live)); err != nil {
		d.t.Fatal(err)
	}
	d.start()
	d.talk(30)
	d.stop()
	if err := os.RemoveAll(live); err != nil {
		d.t.Fatal(err)
	}
	if err := os.CopyFS(live, os.DirFS(copied)); err != nil {
		d.t.Fatal(err)
	}
	d.start()
}
