package playback

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/tidemark-chat/tidemark/streams/logtest"
)

func TestMain(m *testing.M) {
	code := logtest.Main(m)
	if err := goleak.Find(); err != nil && code == 0 { // when the servers of all tests have gone too
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
