package loopback_test

import (
	"net"
	"os/exec"
	"sync"
	"testing"

	"github.com/tidemark-chat/tidemark/streams/loopback"
)

func TestAnAddressIsFreeAlsoWhileProcessesAreStarted(t *testing.T) {
	var starting sync.WaitGroup
	defer starting.Wait()
	done := make(chan struct{})
	defer close(done)
	for range 2 {
		starting.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if err := exec.Command("true").Run(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 5000 {
		l, err := net.Listen("tcp", loopback.Address())
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
	}
}
