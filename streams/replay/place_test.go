package replay

import (
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
)

func TestThePlaceOfADeliveryIsWhatTheClientLibraryReads(t *testing.T) {
	for _, reply := range []string{
		"$JS.ACK.CHAT.abc.1.42.7.1700000000123456789.99",
		"$JS.ACK.hub.ACC.CHAT.abc.1.42.7.1700000000123456789.99",
		"$JS.ACK._.ACC.CHAT.abc.1.42.7.1700000000123456789.0.random",
	} {
		got, err := placeOf(reply)
		if err != nil {
			t.Fatal(err)
		}
		want, err := (&nats.Msg{Reply: reply, Sub: &nats.Subscription{}}).Metadata()
		if err != nil {
			t.Fatal(err)
		}
		if got.offset != want.Sequence.Stream || got.delivery != want.Sequence.Consumer || got.pending != want.NumPending || got.time != want.Timestamp.UnixNano() {
			t.Errorf("%s: %+v, want %+v", reply, got, want)
		}
	}
	for _, reply := range []string{
		"", "_INBOX.x", "$JS.ACK.CHAT.abc.1.42.7.1700000000123456789", "$JS.ACK.CHAT.abc.1.x.7.1700000000123456789.99",
		"$JS.FC.CHAT.abc.1.42.7.1700000000123456789.99", strings.Repeat("$JS.ACK.", 9),
	} {
		if p, err := placeOf(reply); err == nil {
			t.Errorf("%q: %+v", reply, p)
		}
	}
}

func BenchmarkPlace(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := placeOf("$JS.ACK.CHAT.abcdefgh.1.123456.123456.1700000000123456789.876544"); err != nil {
			b.Fatal(err)
		}
	}
}
