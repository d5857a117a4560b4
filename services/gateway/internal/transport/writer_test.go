package transport

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// The answer to a probe left its deadline, and the first attempt after it failed.
func TestWhatIsWrittenInPartsLeavesNoDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, peer := net.Pipe()
		defer conn.Close()
		defer peer.Close()
		go func() { _, _ = io.Copy(io.Discard, peer) }()
		if err := writeChunks(conn, make([]byte, 2*writeChunk), time.Second, func(int) {}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if _, err := conn.Write([]byte("x")); err != nil {
			t.Error(err)
		}
	})
}
