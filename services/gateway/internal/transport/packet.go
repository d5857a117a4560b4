package transport

import (
	"io"
	"strings"

	"github.com/zishang520/socket.io/parsers/engine/v3/packet"
	"github.com/zishang520/socket.io/v3/pkg/types"
)

// Engine.IO v4 packet types on the wire.
const (
	engineOpen    = '0'
	engineClose   = '1'
	enginePing    = '2'
	enginePong    = '3'
	engineMessage = '4'
	engineUpgrade = '5'
	engineNoop    = '6'
	engineBinary  = 'b' // base64, polling only
)

// Socket.IO v5 packet types on the wire.
const (
	socketConnect      = '0'
	socketDisconnect   = '1'
	socketEvent        = '2'
	socketAck          = '3'
	socketConnectError = '4'
)

var wireTypes = map[packet.Type]byte{
	packet.OPEN:    engineOpen,
	packet.CLOSE:   engineClose,
	packet.PING:    enginePing,
	packet.PONG:    enginePong,
	packet.MESSAGE: engineMessage,
	packet.UPGRADE: engineUpgrade,
	packet.NOOP:    engineNoop,
}

// appendPacket appends a packet of the library's as a WebSocket frame. data is
// the packet's own bytes, for a look at what it is; nil if it is binary.
func appendPacket(b []byte, p *packet.Packet) (frames, data []byte) {
	wireType, ok := wireTypes[p.Type]
	if !ok {
		return b, nil
	}
	data, text := packetData(p.Data)
	if !text {
		return append(appendHeader(b, opBinary, len(data)), data...), nil
	}
	b = append(appendHeader(b, opText, 1+len(data)), wireType)
	return append(b, data...), data
}

// packetData reads what the library wants to send. As in its own parser, the
// type of the reader says whether it is text.
func packetData(r io.Reader) (data []byte, text bool) {
	switch r := r.(type) {
	case nil:
		return nil, true
	case *types.StringBuffer:
		return r.Bytes(), true
	case *types.BytesBuffer:
		return r.Bytes(), false
	case *strings.Reader:
		data, _ = io.ReadAll(r) // reading from memory does not fail
		return data, true
	default:
		data, _ = io.ReadAll(r)
		return data, false
	}
}

// isAnswer tells whether a message is the answer of the given type (CONNECT,
// CONNECT_ERROR) to a CONNECT to the default namespace.
func isAnswer(p *packet.Packet, data []byte, socketType byte) bool {
	return p.Type == packet.MESSAGE && len(data) > 0 && data[0] == socketType && defaultNamespace(data[1:])
}

// defaultNamespace tells whether what follows a Socket.IO packet's type
// addresses "/", which is mostly left out.
func defaultNamespace(rest []byte) bool {
	if len(rest) == 0 || rest[0] != '/' {
		return true
	}
	return len(rest) == 1 || rest[1] == ','
}
