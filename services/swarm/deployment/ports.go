package deployment

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// ports hands out addresses of one deployment. They are on a loopback address of its own, because a process that was
// killed has to find its port free again, whatever else is tested on the machine meanwhile; and below the ports of
// outgoing connections, which on Linux are those above 32768.
type ports struct {
	host  string
	taken map[string]bool
}

func newPorts() ports {
	return ports{
		host:  fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(254), rand.IntN(256), 1+rand.IntN(254)),
		taken: make(map[string]bool),
	}
}

func (p *ports) next() (string, error) {
	for range 100 {
		address := net.JoinHostPort(p.host, strconv.Itoa(20000+rand.IntN(12000)))
		if p.taken[address] {
			continue
		}
		if l, err := net.Listen("tcp", address); err == nil {
			p.taken[address] = true
			return address, l.Close()
		}
	}
	return "", errors.New("no free port was found on " + p.host)
}
