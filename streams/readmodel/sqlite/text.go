package sqlite

import (
	"bytes"
	"maps"
	"slices"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/tidemark-chat/tidemark/streams/event"
)

// headerText is headers as they look on the wire, sorted, so that the same
// headers are the same bytes.
func headerText(h nats.Header) []byte {
	var b bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			b.WriteString(name + ": " + value + "\r\n")
		}
	}
	return b.Bytes()
}

// digestText is a digest as the tables hold it: empty for none.
func digestText(d event.Digest) string {
	if d == (event.Digest{}) {
		return ""
	}
	return d.String()
}

func parseDigest(text string) (d event.Digest, err error) {
	if text != "" {
		err = d.UnmarshalText([]byte(text))
	}
	return d, err
}

// timeOf reads what nanos writes.
func timeOf(nanos int64) time.Time {
	if nanos == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanos).UTC()
}
