package notary_test

import (
	"encoding/binary"
	"encoding/hex"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

// posted is an event as the log gives it back.
func posted(t testing.TB, offset uint64, content string) event.Event {
	t.Helper()
	e := logtest.Message(t, "general", content)
	e.Offset, e.At = offset, time.Unix(1_700_000_000, int64(offset)).UTC()
	return e
}

func TestALeafIsTheRecordOfDigestAndTime(t *testing.T) {
	e := posted(t, 7, "hi")
	record := binary.BigEndian.AppendUint64(e.Digest[:], uint64(e.At.UnixNano()))
	if got := notary.Leaf(&e); got != tlog.RecordHash(record) {
		t.Errorf("leaf %v", got)
	}
	other := e
	other.At = other.At.Add(time.Nanosecond)
	if notary.Leaf(&other) == notary.Leaf(&e) {
		t.Error("the time does not count")
	}
	other = e
	other.Digest[31] ^= 1
	if notary.Leaf(&other) == notary.Leaf(&e) {
		t.Error("the digest does not count")
	}
	other = e
	other.At = e.At.In(time.FixedZone("x", 3600))
	if notary.Leaf(&other) != notary.Leaf(&e) {
		t.Error("the time's zone counts")
	}
}

// Whoever alters an event and has it say that it is of a schema that nobody knows keeps its digest unchecked. The leaf must be another.
func TestALeafOfALaterSchemaIsOfAllThatIsStored(t *testing.T) {
	e := posted(t, 7, "hi")
	decoded := func(alter func(*nats.Msg)) tlog.Hash {
		m := e.Encode()
		alter(m)
		got, err := event.Decode(e.Offset, e.At, m.Subject, m.Header, m.Data)
		if err != nil {
			t.Fatal(err)
		}
		return notary.Leaf(&got)
	}
	leaves := map[tlog.Hash]string{notary.Leaf(&e): "as it was sealed"}
	for name, alter := range map[string]func(*nats.Msg){
		"another schema": func(*nats.Msg) {},
		"another one":    func(m *nats.Msg) { m.Header.Set("Tidemark-Schema", "3") },
		"other content":  func(m *nats.Msg) { m.Data = []byte("ho") },
		"another sender": func(m *nats.Msg) { m.Header.Set("Tidemark-Sender-Name", "mallory") },
		"a new header":   func(m *nats.Msg) { m.Header.Set("Tidemark-Later", "x") },
		"another room":   func(m *nats.Msg) { m.Subject += "x" },
	} {
		leaf := decoded(func(m *nats.Msg) { m.Header.Set("Tidemark-Schema", "2"); alter(m) })
		if same, taken := leaves[leaf]; taken {
			t.Errorf("%s has the leaf of %s", name, same)
		}
		leaves[leaf] = name
	}
	asStored := decoded(func(m *nats.Msg) { m.Header.Set("Tidemark-Schema", "2") })
	asRead := decoded(func(m *nats.Msg) { m.Header.Set("Tidemark-Schema", "2"); m.Header.Set("Nats-Sequence", "7") })
	if asStored != asRead {
		t.Error("what the server adds when it is read counts")
	}
}

// The value is that of RFC 6962's empty leaf: SHA-256 of one zero byte.
func TestNoLeafIsTheEmptyLeaf(t *testing.T) {
	leaf := notary.NoLeaf()
	if got := hex.EncodeToString(leaf[:]); got != "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" {
		t.Errorf("%s", got)
	}
}
