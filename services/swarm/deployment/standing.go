package deployment

import (
	"errors"
	"fmt"
	"net"
)

// ErrTaken is that something listens already where a process of a deployment should.
var ErrTaken = errors.New("an address is taken")

// standing is where a deployment that is to be used listens: nats-server's and the gateways' usual ports, and those after
// them. One that is taken is an error now, and not a process that ends.
func standing(host, name string) (string, error) {
	port, ok := map[string]string{
		"nats-1": "4222", "nats-1 routes": "6222", "nats-1 health": "8222",
		"nats-2": "4223", "nats-2 routes": "6223", "nats-2 health": "8223",
		"nats-3": "4224", "nats-3 routes": "6224", "nats-3 health": "8224",
		postgresName: "5433", "persister-1": "3011", "persister-2": "3012", "gateway-1": "3000", "gateway-2": "3001",
	}[name]
	if !ok {
		return "", fmt.Errorf("%s has no address of its own", name)
	}
	address := net.JoinHostPort(host, port)
	l, err := net.Listen("tcp", address)
	if err != nil {
		return "", fmt.Errorf("%w, that of %s: %w", ErrTaken, name, err)
	}
	return address, l.Close()
}
