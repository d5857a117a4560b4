package postgres

import (
	"time"

	"github.com/tidemark-chat/tidemark/streams/event"
)

// digestText is a digest as the tables hold it: empty for none, never NULL.
func digestText(d event.Digest) []byte {
	if d == (event.Digest{}) {
		return []byte{}
	}
	return []byte(d.String())
}

func parseDigest(text []byte) (d event.Digest, err error) {
	if len(text) > 0 {
		err = d.UnmarshalText(text)
	}
	return d, err
}

// timeOf reads what readmodel.Nanoseconds writes.
func timeOf(nanos int64) time.Time {
	if nanos == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanos).UTC()
}
