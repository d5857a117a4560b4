package client

import (
	"bytes"
	"slices"
)

// maxOutbox is how many bytes may wait for POSTs.
const maxOutbox = 4 << 20

// separator stands between the packets of a body.
var separator = []byte{0x1e}

// outbox is what waits for the next POST.
type outbox struct {
	packets [][]byte
	size    int
}

func (o *outbox) add(packet []byte) error {
	if o.size+len(packet) > maxOutbox {
		return ErrBacklog
	}
	o.packets = append(o.packets, bytes.Clone(packet))
	o.size += len(packet)
	return nil
}

// take takes the body of a POST: as many packets as fit, but at least one; nil if there is none. A limit of 0 is none.
func (o *outbox) take(limit int) []byte {
	n, size := 0, 0
	for n < len(o.packets) {
		size += len(o.packets[n]) + min(n, 1)
		if n > 0 && limit > 0 && size > limit {
			break
		}
		n++
	}
	if n == 0 {
		return nil
	}
	body := bytes.Join(o.packets[:n], separator)
	o.packets = slices.Delete(o.packets, 0, n)
	o.size -= len(body) - (n - 1)
	return body
}

// all empties it.
func (o *outbox) all() [][]byte {
	packets := o.packets
	*o = outbox{}
	return packets
}
