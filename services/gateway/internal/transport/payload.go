package transport

import "encoding/base64"

// packetSeparator stands between the packets of a polling payload.
const packetSeparator = 0x1E

// appendPayload appends what a poll is answered with for the given frames.
// Binary ones go as base64.
func appendPayload(b, frames []byte) []byte {
	for len(frames) > 0 {
		opcode, data, rest := splitFrame(frames)
		if opcode == opBinary {
			b = base64.StdEncoding.AppendEncode(append(b, engineBinary), data)
		} else {
			b = append(b, data...)
		}
		if frames = rest; len(frames) > 0 {
			b = append(b, packetSeparator)
		}
	}
	return b
}
