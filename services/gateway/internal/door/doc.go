// Package door is what a connection passes on its way into the gateway, before anybody knows whose it is: who the peer
// is ([Proxies]), how many may be in ([Counter], [Listener]), with what certificate they are received ([Certificate]) and
// which pages may send them ([Origins]).
//
//	TCP ──▶ Listener ──▶ TLS ──▶ HTTP ──▶ Origins ──▶ Counter ──▶ Engine.IO
//	        sockets              headers  403         429, 503
//	        of an address        in 10 s
//
// Nothing of it waits for a peer, and what it remembers of one is gone with the connection. Limits, origins and the
// certificate may be replaced at any time; what is in stays in.
package door
