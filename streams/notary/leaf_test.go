package notary_test

import (
	"encoding/binary"
	"encoding/hex"
	"testing"
	"time"

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

// The value is that of RFC 6962's empty leaf: SHA-256 of one zero byte.
func TestNoLeafIsTheEmptyLeaf(t *testing.T) {
	leaf := notary.NoLeaf()
	if got := hex.EncodeToString(leaf[:]); got != "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" {
		t.Errorf("%s", got)
	}
}
