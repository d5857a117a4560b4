package client

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// kind is what a packet is, of Engine.IO and Socket.IO in one.
type kind uint8

const (
	opening kind = iota
	closing
	ping
	noop
	connected
	disconnected
	event
	ack
	refusal
)

// packet is what came, as far as the client looks into it.
type packet struct {
	kind kind
	id   int    // of an ack
	body []byte // JSON: an object of opening, connected and refusal, an array of event and ack
}

// parse reads one Engine.IO packet from a server. The JSON itself is not checked, only how it begins and ends.
func parse(text []byte) (packet, error) {
	if len(text) == 0 {
		return packet{}, violation("empty packet", nil)
	}
	switch text[0] {
	case '0':
		return body(opening, text, 1, '{', '}')
	case '1':
		return bare(closing, text)
	case '2':
		return bare(ping, text)
	case '4':
		return message(text)
	case '6':
		return bare(noop, text)
	}
	return packet{}, violation("unexpected packet", text)
}

// message reads a Socket.IO packet in the namespace "/", which has no name.
func message(text []byte) (packet, error) {
	if len(text) == 1 {
		return packet{}, violation("empty message", text)
	}
	switch text[1] {
	case '0':
		return body(connected, text, 2, '{', '}')
	case '1':
		if len(text) == 2 {
			return packet{kind: disconnected}, nil
		}
	case '2':
		p, err := body(event, text, 2+digits(text[2:]), '[', ']')
		if err == nil && len(p.body) == 2 {
			return packet{}, violation("event without a name", text)
		}
		return p, err
	case '3':
		return answer(text)
	case '4':
		return body(refusal, text, 2, '{', '}')
	}
	return packet{}, violation("unexpected message", text)
}

func answer(text []byte) (packet, error) {
	n := digits(text[2:])
	id, err := strconv.Atoi(string(text[2 : 2+n]))
	if err != nil {
		return packet{}, violation("ack without an id", text)
	}
	p, err := body(ack, text, 2+n, '[', ']')
	p.id = id
	return p, err
}

func bare(k kind, text []byte) (packet, error) {
	if len(text) > 1 {
		return packet{}, violation("more than the type", text)
	}
	return packet{kind: k}, nil
}

func body(k kind, text []byte, from int, first, last byte) (packet, error) {
	b := text[from:]
	if len(b) < 2 || b[0] != first || b[len(b)-1] != last {
		return packet{}, violation("not a JSON value of the right kind", text)
	}
	return packet{kind: k, body: b}, nil
}

// digits is how many a text begins with.
func digits(text []byte) int {
	for i, b := range text {
		if b < '0' || b > '9' {
			return i
		}
	}
	return len(text)
}

// handshake is what a server says first.
type handshake struct {
	SID          string
	Upgrades     []string
	PingInterval int // milliseconds
	PingTimeout  int // milliseconds
	MaxPayload   int // bytes in a POST
}

func parseHandshake(body []byte) (h handshake, err error) {
	if err := json.Unmarshal(body, &h); err != nil || h.SID == "" || h.PingInterval <= 0 || h.PingTimeout <= 0 {
		return h, violation("malformed handshake", body)
	}
	return h, nil
}

// Payload is the JSON array of an event's name and arguments, as an official client writes it; nil if they cannot be
// written as JSON, and Emit takes no nil.
func Payload(args ...any) []byte {
	b, err := encode(args)
	if err != nil {
		return nil
	}
	return b
}

// encode leaves HTML as it is, like JSON.stringify.
func encode(value any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
