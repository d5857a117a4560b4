package config

import (
	"net/netip"
	"time"
)

// Feed is how events come from the log to a gateway.
type Feed string

// The feeds of a gateway.
const (
	Ordered   Feed = "ordered"
	Republish Feed = "republish"
)

// Gateway is the Socket.IO edge.
type Gateway struct {
	Listen            string // host:port
	Cert, Key         string // paths; empty: plain HTTP
	Operations        string // host:port of health, metrics and pprof; empty: on Listen, without pprof
	TrustedProxies    []netip.Prefix
	Feed              Feed
	RateLimit         Rate
	UserRateLimit     Rate
	RequestRateLimit  Rate
	AllowGuests       bool
	MaxRooms          int
	MaxConnections    Limit
	AddressLimit      Limit
	UserLimit         Limit
	MaxUsers          int
	SessionTTL        time.Duration
	PresenceLease     time.Duration
	MaxContentBytes   Size
	CORSOrigins       []string // empty: same origin only; "*" alone: any
	LogView           bool
	TailBytes         Size
	WarmEvents        int
	SendBudget        Size
	CatchUpWorkers    int
	StallTimeout      time.Duration
	PingInterval      time.Duration
	PingTimeout       time.Duration
	AppendTimeout     time.Duration
	WatermarkInterval time.Duration
	ShutdownTimeout   time.Duration
}

func (g *Gateway) settings() []setting {
	moment := duration(100*time.Millisecond, 10*time.Minute)
	return []setting{
		set(&g.Listen, "gateway.listen", "127.0.0.1:3000", address(), "where HTTP and Socket.IO are served"),
		set(&g.Cert, "gateway.cert", "", pathOrNone(), "PEM certificate, with which HTTPS is served instead of HTTP; needs gateway.key").reloadable(),
		set(&g.Key, "gateway.key", "", pathOrNone(), "PEM key of gateway.cert").reloadable(),
		set(&g.Operations, "gateway.operations", "off", addressOrOff(), "where health, metrics and pprof are served; off: health and metrics at gateway.listen, and no pprof"),
		set(&g.TrustedProxies, "gateway.trustedProxies", "", prefixes(), "addresses of proxies whose X-Forwarded-For is believed"),
		set(&g.Feed, "gateway.feed", "ordered", oneOf(Ordered, Republish), "how events come from the log: ordered by a consumer of each gateway, republish by core subjects (needs stream.republish)"),
		set(&g.RateLimit, "gateway.rateLimit", "20", rate(), "messages per second that one socket may send; off: no limits at all, the other two included").reloadable(),
		set(&g.UserRateLimit, "gateway.userRateLimit", "40", rate(), "messages per second that one user may send over all sockets at one gateway").reloadable(),
		set(&g.RequestRateLimit, "gateway.requestRateLimit", "50", rate(), "other events per second that one socket may send: joins, history, typing").reloadable(),
		set(&g.AllowGuests, "gateway.allowGuests", "true", truth(), "whether clients without a name may connect"),
		set(&g.MaxRooms, "gateway.maxRooms", "100", number(1, 900), "rooms that one socket may be in"),
		set(&g.MaxConnections, "gateway.maxConnections", "off", limit(), "connections to one gateway").reloadable(),
		set(&g.AddressLimit, "gateway.addressLimit", "off", limit(), "connections to one gateway from one address (of IPv6, one /64)").reloadable(),
		set(&g.UserLimit, "gateway.userLimit", "1000", limit(), "connections of one user to one gateway").reloadable(),
		set(&g.MaxUsers, "gateway.maxUsers", "5000", number(1, 5000), "users in the list that a user is sent; beyond that oneself, those online, those one has talked to and the newest"),
		set(&g.SessionTTL, "gateway.sessionTTL", "720h", duration(time.Second, 10*365*24*time.Hour), "how long a session lasts that nobody uses"),
		set(&g.PresenceLease, "gateway.presenceLease", "15s", duration(500*time.Millisecond, 10*time.Minute), "how long users of a gateway that has died are still shown as online"),
		set(&g.MaxContentBytes, "gateway.maxContentBytes", "16KiB", size(1, 48*KiB), "longest content of a message; an event in the log ends at 64KiB"),
		set(&g.CORSOrigins, "gateway.corsOrigins", "", origins(), "pages of other origins that may connect; empty: none").reloadable(),
		set(&g.LogView, "gateway.logView", "false", truth(), "whether /log shows everybody who reaches the gateway which conversations there are, rooms' names included, when something is said there, how much, and by hashes of contents; never contents"),
		set(&g.TailBytes, "gateway.tailBytes", "64MiB", size(64*KiB, 1*TiB), "memory for recent events, from which clients catch up"),
		set(&g.WarmEvents, "gateway.warmEvents", "100000", number(0, 100_000_000), "events replayed into that memory at start"),
		set(&g.SendBudget, "gateway.sendBudget", "256KiB", size(64*KiB, 1*GiB), "bytes queued for one connection before it goes back to catching up"),
		set(&g.CatchUpWorkers, "gateway.catchUpWorkers", "8", number(1, 1024), "connections that read their past at the same time"),
		set(&g.StallTimeout, "gateway.stallTimeout", "30s", moment, "a connection that takes nothing for so long is closed"),
		set(&g.PingInterval, "gateway.pingInterval", "25s", moment, "time between two Engine.IO pings"),
		set(&g.PingTimeout, "gateway.pingTimeout", "20s", moment, "a connection that does not answer a ping for so long is closed"),
		set(&g.AppendTimeout, "gateway.appendTimeout", "5s", duration(100*time.Millisecond, time.Minute), "how long the log may take to store a message before its sender must retry"),
		set(&g.WatermarkInterval, "gateway.watermarkInterval", "25s", moment, "least time between two watermarks to one client"),
		set(&g.ShutdownTimeout, "gateway.shutdownTimeout", "10s", moment, "how long an orderly stop may take"),
	}
}
