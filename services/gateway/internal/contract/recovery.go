package contract

import (
	"encoding/json"
	"strconv"
)

// Recovery is what a client is told once after each connect, when everything
// it missed has been sent.
type Recovery struct {
	Recovered bool   `json:"recovered"`        // nothing is missing, nothing was sent before
	From      uint64 `json:"from"`             // replayed after this offset
	Head      uint64 `json:"head"`             // up to this one
	Count     uint64 `json:"count"`            // events replayed
	Epoch     string `json:"epoch"`            // of this log: send it with serverOffset
	Reason    Reason `json:"reason,omitempty"` // why not recovered
}

// Reason says why a client could not simply go on where it was.
type Reason string

const (
	Trimmed      Reason = "trimmed"       // the oldest part of what it missed is gone
	EpochChanged Reason = "epoch_changed" // its offset is of another log: replayed from the beginning
	AheadOfLog   Reason = "ahead_of_log"  // its offset was never issued: replayed from the beginning
)

// Reasons are all there are.
var Reasons = []Reason{Trimmed, EpochChanged, AheadOfLog}

// Packet is the "recovery" event as a Socket.IO packet.
func (r Recovery) Packet() []byte {
	body, _ := json.Marshal(r) // of strings, numbers and a bool
	return append(append([]byte(`2["recovery",`), body...), ']')
}

// Replay is the "replay" event as a Socket.IO packet: what follows begins after from,
// and goes up to head at least.
func Replay(from, head uint64) []byte {
	dst := strconv.AppendUint([]byte(`2["replay",{"from":`), from, 10)
	dst = strconv.AppendUint(append(dst, `,"head":`...), head, 10)
	return append(dst, "}]"...)
}

// Watermark is the "watermark" event as a Socket.IO packet: everything at or
// below offset that this client may see has been sent.
func Watermark(offset uint64) []byte {
	return append(strconv.AppendUint([]byte(`2["watermark",{"offset":`), offset, 10), "}]"...)
}
