// Package client is a Socket.IO client for crowds: the raw text protocol (Engine.IO v4, Socket.IO v5) in the namespace
// "/", over WebSocket, over HTTP long-polling, or over long-polling that is upgraded to WebSocket, as official clients do.
//
// It costs one goroutine per WebSocket connection and nearly no memory while idle, looks at no more of what comes than
// what kind of packet it is and which ack, and does nothing by itself but what the protocol demands: it answers pings
// and notices their absence. Nobody reconnects and nothing is sent again: that is for its users to decide.
//
//	Dial ──▶ Conn ── Emit, Ask, Write ──▶ link: socket (one frame per packet) or poller (POSTs of packets)
//	          ▲                             │
//	          └─ Event, answers ◀─ receive ◀─┘ the reader goroutine, which is the only one that calls back
package client
