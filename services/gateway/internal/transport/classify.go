package transport

import "unicode/utf8"

// kind is what a packet from the peer is to us.
type kind int

const (
	kindRefused kind = iota // closes the connection
	kindIgnored             // legal, of no use to us, kept from the library
	kindClose
	kindPong
	kindProbe   // asks, on a WebSocket, whether it works before upgrading to it
	kindUpgrade // the WebSocket takes over
	kindConnect // Socket.IO CONNECT to the default namespace
	kindEvent   // Socket.IO EVENT: counted until it is finished
	kindMessage // any other message for the library
)

// classify looks at one Engine.IO packet in text form, before the library does.
//
// Refused is what no client of ours sends, and in particular binary packets
// (Socket.IO types 5 and 6): announced with no attachments ("450-[...]") they
// leave the library's decoder collecting whatever follows, without bound.
// Acks are ignored: the service never asks a client for one.
func classify(text []byte, anyMessage bool) kind {
	if len(text) == 0 || !utf8.Valid(text) {
		return kindRefused
	}
	switch rest := text[1:]; text[0] {
	case engineClose:
		return kindClose
	case enginePing:
		if string(rest) == "probe" {
			return kindProbe
		}
		return kindRefused // in v4 the server pings
	case enginePong:
		return kindPong
	case engineUpgrade:
		return kindUpgrade
	case engineNoop:
		return kindIgnored
	case engineMessage:
		if anyMessage {
			return kindMessage
		}
		return classifyMessage(rest)
	case engineBinary:
		if anyMessage {
			return kindMessage
		}
	}
	return kindRefused
}

func classifyMessage(text []byte) kind {
	if len(text) == 0 {
		return kindRefused
	}
	switch text[0] {
	case socketConnect:
		if defaultNamespace(text[1:]) {
			return kindConnect
		}
		return kindMessage // answered with an error by the library
	case socketDisconnect:
		return kindMessage
	case socketEvent:
		return kindEvent
	case socketAck:
		return kindIgnored
	}
	return kindRefused
}

// stage is how far a transport is on its way to carrying a connection.
type stage int

const (
	stageProbe   stage = iota // a WebSocket for an upgrade: expects the probe
	stageUpgrade              // probed: expects the upgrade
	stageOpen                 // carries the connection
)

// next says whether a packet may come at this stage, and the stage after it.
func (s stage) next(k kind) (stage, bool) {
	switch s {
	case stageProbe:
		return stageUpgrade, k == kindProbe
	case stageUpgrade:
		return stageOpen, k == kindUpgrade
	default:
		return stageOpen, k != kindRefused && k != kindProbe && k != kindUpgrade
	}
}
