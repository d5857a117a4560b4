package crowd

import (
	"errors"
	"testing"

	"github.com/tidemark-chat/tidemark/services/swarm/client"
)

func TestReasonsAreTheSameForAllWhoHaveThem(t *testing.T) {
	for err, want := range map[error]string{
		errors.New("read tcp 127.0.0.1:53700->127.0.0.1:31323: read: connection reset"): "read tcp …: read: connection reset",
		errors.New("dial tcp [::1]:3000: connect: refused"):                             "dial tcp …: connect: refused",
		&client.Refused{Message: "invalid offset"}:                                      "connect_error: invalid offset",
	} {
		if got := reason(err); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
