package crowd

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/client"
)

// Profile is a way to behave.
type Profile struct {
	Name    string
	Meaning string // one line, for help

	user    bool          // registers and has a session; otherwise a guest
	seats   int           // connections at the same time
	roams   bool          // joins and leaves rooms
	repeats int           // times it sends each message at least, without waiting for an ack
	stays   time.Duration // mean length of a connection; 0: until something cuts it
	rests   time.Duration // longest time for which it does not read, now and then
	anew    bool          // comes back as somebody new, who wants everything from the beginning
	hostile bool
}

// Profiles are all there are.
var Profiles = []Profile{
	{Name: "guest", Meaning: "a page of the chat tutorial: no name, room general", seats: 1},
	{Name: "user", Meaning: "has a session, talks in rooms and to other users", user: true, seats: 1},
	{Name: "roamer", Meaning: "a user who joins and leaves rooms all the time", user: true, seats: 1, roams: true},
	{Name: "slow", Meaning: "a user who stops reading for seconds", user: true, seats: 1, rests: 4 * time.Second},
	{Name: "reconnector", Meaning: "a user whose connection breaks every few seconds, who comes back elsewhere", user: true, seats: 1, stays: 3 * time.Second},
	{Name: "retrier", Meaning: "a user with two tabs who sends everything several times under one key", user: true, seats: 2, repeats: 3},
	{Name: "newcomer", Meaning: "a guest who comes for the first time, again and again, and wants everything from the beginning", seats: 1, stays: 5 * time.Second, anew: true},
	{Name: "hostile", Meaning: "forges, floods, breaks the protocol and listens at doors", user: true, seats: 1, stays: 5 * time.Second, roams: true, hostile: true},
}

// Mix is how many members there are of each profile.
type Mix map[string]int

// ParseMix reads "guest=10,user=5".
func ParseMix(text string) (Mix, error) {
	mix := Mix{}
	for part := range strings.SplitSeq(text, ",") {
		name, count, found := strings.Cut(strings.TrimSpace(part), "=")
		n, err := strconv.Atoi(count)
		if !found || err != nil || n < 0 {
			return nil, fmt.Errorf("%q: want a profile and how many, as in guest=10,user=5", part)
		}
		if !slices.ContainsFunc(Profiles, func(p Profile) bool { return p.Name == name }) {
			return nil, fmt.Errorf("there is no profile %q; there are %s", name, strings.Join(Names(), ", "))
		}
		mix[name] += n
	}
	return mix, nil
}

// Names are the profiles' names.
func Names() (names []string) {
	for _, p := range Profiles {
		names = append(names, p.Name)
	}
	return names
}

// Total is how many members there are.
func (m Mix) Total() (n int) {
	for _, count := range m {
		n += count
	}
	return n
}

// Scale is a mix of the same shares with so many members.
func (m Mix) Scale(total int) Mix {
	scaled, given, sum := Mix{}, 0, 0
	for _, p := range Profiles {
		sum += m[p.Name]
		upTo := total * sum / max(1, m.Total())
		scaled[p.Name] = upTo - given
		given = upTo
	}
	return scaled
}

// String is what ParseMix reads.
func (m Mix) String() string {
	var parts []string
	for _, p := range Profiles {
		if m[p.Name] > 0 {
			parts = append(parts, fmt.Sprintf("%s=%d", p.Name, m[p.Name]))
		}
	}
	return strings.Join(parts, ",")
}

// Everybody is a mix of all profiles.
var Everybody = Mix{"guest": 8, "user": 8, "roamer": 6, "slow": 4, "reconnector": 6, "retrier": 4, "newcomer": 2, "hostile": 2}

// Share is a transport and its weight among others.
type Share struct {
	Transport client.Transport
	Weight    int
}

// AllTransports are mostly WebSockets.
var AllTransports = []Share{{client.WebSocket, 6}, {client.Polling, 2}, {client.Upgrade, 2}}

// Without is a mix without one of its profiles.
func (m Mix) Without(name string) Mix {
	rest := maps.Clone(m)
	delete(rest, name)
	return rest
}
