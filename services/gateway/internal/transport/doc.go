// Package transport carries Engine.IO connections for the gateway: a WebSocket
// and a long-polling transport that plug into the Socket.IO library through its
// public API, and [Link], the outgoing side of a connection as delivery sees it.
//
//	feed ── Frame ──▶ Link.Send ─┐
//	                             ├──▶ one buffer of frames ──▶ carrier ──▶ peer
//	library ── ack, ping ────────┘    (bytes, bounded)         webSocket or polling
//
//	peer ──▶ carrier ──▶ classify ──▶ inbound budget ──▶ library ──▶ handlers
//	                     (refuse)     (stop reading)                    │
//	                                       ▲────── done ◀── Link.Begin ─┘
//
// What it promises:
//
//   - A connection has one outgoing buffer for its whole life. Everything, the
//     library's packets too, leaves in the order in which it was appended, also
//     across the upgrade from polling to WebSocket: the upgrade changes who
//     carries the buffer, not the buffer.
//   - Nothing is dropped silently while a connection is open, and no connection
//     holds more than its limits: [Link.Send] says no, the reader stops reading,
//     and a peer that makes no progress is closed.
//   - The library sees only packets that this service understands, and sees the
//     first one when it is listening.
//   - A connection that is only listening keeps nothing of the request it began
//     with, no buffer but a small one for reading, and one goroutine of ours.
//   - When a connection is over, nothing of it is left: no goroutine, no buffer.
//
// [Constructors] gives the transports to the library's options, [Attach] joins
// them to the server that was made with them and gives the handler to serve.
package transport
