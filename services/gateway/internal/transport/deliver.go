package transport

import (
	"encoding/base64"

	"github.com/gorilla/websocket"
	"github.com/zishang520/socket.io/parsers/engine/v3/packet"
	"github.com/zishang520/socket.io/servers/engine/v3/transports"
	"github.com/zishang520/socket.io/v3/pkg/types"
)

// refusal is why a connection is closed because of what its peer sent.
type refusal struct {
	code   int // WebSocket close code
	reason string
}

var (
	refusedSize    = &refusal{websocket.CloseMessageTooBig, "message too large"}
	refusedBinary  = &refusal{websocket.CloseUnsupportedData, "binary message"}
	refusedPacket  = &refusal{websocket.ClosePolicyViolation, "packet not allowed"}
	refusedConnect = &refusal{websocket.ClosePolicyViolation, "CONNECT while one is unanswered"}
	refusedUpgrade = &refusal{websocket.ClosePolicyViolation, "upgrade not possible"}

	// tooLate is no fault of the peer's: the connection, or the request that
	// brought the packet, was over before there was room for it.
	tooLate = &refusal{websocket.CloseGoingAway, "closed while waiting"}
)

// deliver passes a classified packet on to the engine by way of t. It waits for
// room in the inbound budget; if cancel is closed or the connection is over
// before that, it is too late.
func (l *Link) deliver(t transports.Transport, k kind, text []byte, cancel <-chan struct{}) *refusal {
	switch k {
	case kindIgnored:
		return nil
	case kindPong:
		l.pongLater()
		return nil
	case kindConnect:
		if !l.admitConnect() {
			return refusedConnect
		}
	case kindEvent:
		if !l.inbound.acquire(len(text), cancel) {
			return tooLate
		}
	}
	t.OnPacket(textPacket(text))
	return nil
}

var libraryTypes = map[byte]packet.Type{
	enginePing:    packet.PING,
	engineMessage: packet.MESSAGE,
	engineUpgrade: packet.UPGRADE,
}

// textPacket makes the library's packet of one that was not refused.
func textPacket(text []byte) *packet.Packet {
	if text[0] == engineBinary {
		decoded, err := base64.StdEncoding.AppendDecode(nil, text[1:])
		if err != nil {
			return &packet.Packet{Type: packet.ERROR, Data: types.NewStringBuffer(nil)}
		}
		return binaryPacket(decoded)
	}
	return &packet.Packet{Type: libraryTypes[text[0]], Data: types.NewStringBuffer(text[1:])}
}

func binaryPacket(data []byte) *packet.Packet {
	return &packet.Packet{Type: packet.MESSAGE, Data: types.NewBytesBuffer(data)}
}
