package sqlite

import (
	"time"

	"github.com/tidemark-chat/tidemark/streams/event"
)

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

// timeOf reads what readmodel.Nanoseconds writes.
func timeOf(nanos int64) time.Time {
	if nanos == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanos).UTC()
}
