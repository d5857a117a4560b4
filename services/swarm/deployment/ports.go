package deployment

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
)

// ports hands out addresses whose ports no outgoing connection takes: those are above 32768 on Linux. So a process that
// was killed, or a link that was cut, finds its own free again.
type ports struct{ taken map[string]bool }

func (p *ports) next() (string, error) {
	for range 1000 {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(20000+rand.IntN(12000)))
		if p.taken[address] {
			continue
		}
		if l, err := net.Listen("tcp", address); err == nil {
			p.taken[address] = true
			return address, l.Close()
		}
	}
	return "", errors.New("no free port was found between 20000 and 32000")
}
