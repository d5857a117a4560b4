package transport

import "encoding/binary"

// Opcodes of RFC 6455, section 5.2.
const (
	opText   = 0x1
	opBinary = 0x2
	opClose  = 0x8
	opPong   = 0xA

	finalFragment = 0x80
)

// Frame is a message as it goes over the wire, built once and sent to any
// number of connections. It never changes and may be used by any goroutine.
type Frame struct{ wire []byte }

// NewFrame makes a frame of a complete Socket.IO packet in text form, without
// the Engine.IO type before it: 2["chat message","hi",7].
func NewFrame(text []byte) Frame {
	wire := appendHeader(make([]byte, 0, maxHeader+1+len(text)), opText, 1+len(text))
	wire = append(wire, engineMessage)
	return Frame{append(wire, text...)}
}

// JoinFrames makes one frame of several: a connection takes all of it or nothing.
func JoinFrames(frames ...Frame) Frame {
	var joined Frame
	for _, f := range frames {
		joined.wire = append(joined.wire, f.wire...)
	}
	return joined
}

// Text is the Socket.IO packet in the frame, the first of a joined one. It must
// not be changed.
func (f Frame) Text() []byte {
	_, payload, _ := splitFrame(f.wire)
	return payload[1:]
}

// Size is what the frame takes of a connection's budget, in bytes.
func (f Frame) Size() int { return len(f.wire) }

// maxHeader is the longest header of a frame that a server sends.
const maxHeader = 10

// appendHeader appends the header of an unfragmented, unmasked frame.
func appendHeader(b []byte, opcode byte, length int) []byte {
	b = append(b, finalFragment|opcode)
	switch {
	case length < 126:
		return append(b, byte(length))
	case length < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, 126), uint16(length))
	default:
		return binary.BigEndian.AppendUint64(append(b, 127), uint64(length))
	}
}

// splitFrame takes the first frame off b, which holds whole frames that this
// package has written.
func splitFrame(b []byte) (opcode byte, payload, rest []byte) {
	opcode = b[0] &^ finalFragment
	length, header := int(b[1]), 2
	switch length {
	case 126:
		length, header = int(binary.BigEndian.Uint16(b[2:])), 4
	case 127:
		length, header = int(binary.BigEndian.Uint64(b[2:])), maxHeader
	}
	return opcode, b[header : header+length], b[header+length:]
}
