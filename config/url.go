package config

import (
	"log/slog"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// URL may hold a password: convert it to string to connect with it; printed or logged, it is masked.
type URL string

// String is u with its secrets masked.
func (u URL) String() string {
	return secretParameter.ReplaceAllString(maskUsers(string(u)), "${1}***")
}

// LogValue masks u in logs.
func (u URL) LogValue() slog.Value { return slog.StringValue(u.String()) }

// MarshalText masks u in JSON.
func (u URL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

var (
	secretParameter = regexp.MustCompile(`(?i)(\b(?:ssl)?password=)[^&\s]*`)
	scheme          = regexp.MustCompile(`[a-z]+://`)
)

// maskUsers hides what stands before the @ of each URL in a list: the password, or all of it if there is no user name,
// because NATS takes that for a token. It works on text, so that it also masks what does not parse.
func maskUsers(list string) string {
	var b strings.Builder
	for i, at := range scheme.FindAllStringIndex(list, -1) {
		if i == 0 {
			b.WriteString(list[:at[0]])
		}
		end := len(list)
		if next := scheme.FindStringIndex(list[at[1]:]); next != nil {
			end = at[1] + next[0]
		}
		b.WriteString(list[at[0]:at[1]])
		rest := list[at[1]:end]
		if i := strings.LastIndexByte(rest, '@'); i >= 0 {
			if user, _, ok := strings.Cut(rest[:i], ":"); ok {
				b.WriteString(user + ":")
			}
			b.WriteString("***")
			rest = rest[i:]
		}
		b.WriteString(rest)
	}
	if b.Len() == 0 {
		return list
	}
	return b.String()
}

func natsURL() kind[URL] {
	schemes := []string{"nats", "tls", "ws", "wss"}
	one := func(text string) bool {
		u, err := url.Parse(strings.TrimSpace(text))
		return err == nil && slices.Contains(schemes, u.Scheme) && u.Hostname() != "" && strings.Trim(u.Path, "/") == ""
	}
	return kind[URL]{
		name: "url", allowed: "nats://host:port (also tls, ws, wss), several separated by commas, or nothing", secret: true,
		parse: func(text string) (URL, bool) {
			list := strings.Split(text, ",")
			return URL(text), text == "" || !slices.ContainsFunc(list, func(s string) bool { return !one(s) })
		},
		format: URL.String,
	}
}

func databaseURL() kind[URL] {
	return kind[URL]{
		name: "url", allowed: "sqlite:path, postgres://user:password@host/database, or nothing", secret: true,
		parse: func(text string) (URL, bool) {
			switch {
			case text == "":
				return "", true
			case isPostgres(text):
				_, err := url.Parse(text)
				return URL(text), err == nil
			default:
				path := sqlitePath(text)
				return URL(text), strings.HasPrefix(text, "sqlite:") && path != "" && !strings.ContainsAny(path, "?\x00")
			}
		},
		format: URL.String,
	}
}

// webURL is http://... or https://..., or nothing. It may hold a password.
func webURL() kind[URL] {
	return kind[URL]{
		name: "url", allowed: "http://host/path, https://host/path, or nothing", secret: true,
		parse:  func(text string) (URL, bool) { return URL(text), text == "" || isWeb(text) },
		format: URL.String,
	}
}

func isWeb(text string) bool {
	u, err := url.Parse(text)
	return err == nil && slices.Contains([]string{"http", "https"}, u.Scheme) && u.Hostname() != ""
}

// prefixes is a list, separated by commas, of networks and of single addresses.
func prefixes() kind[[]netip.Prefix] {
	one := func(text string) (netip.Prefix, error) {
		if address, err := netip.ParseAddr(text); err == nil && address.Zone() == "" {
			return address.Prefix(address.BitLen())
		}
		prefix, err := netip.ParsePrefix(text)
		return prefix.Masked(), err
	}
	return kind[[]netip.Prefix]{
		name: "networks", allowed: "addresses and networks such as 10.0.0.0/8, separated by commas, or nothing",
		parse: func(text string) (list []netip.Prefix, ok bool) {
			if text == "" {
				return nil, true
			}
			for item := range strings.SplitSeq(text, ",") {
				prefix, err := one(strings.TrimSpace(item))
				if err != nil {
					return nil, false
				}
				list = append(list, prefix)
			}
			return list, true
		},
		format: func(list []netip.Prefix) string {
			written := make([]string, len(list))
			for i, prefix := range list {
				written[i] = prefix.String()
			}
			return strings.Join(written, ",")
		},
	}
}

// origins is a list, separated by commas, of what browsers send as Origin, or * alone.
func origins() kind[[]string] {
	one := func(text string) bool {
		u, err := url.Parse(text)
		return err == nil && u.Scheme != "" && u.Host != "" && text == u.Scheme+"://"+u.Host
	}
	return kind[[]string]{
		name: "origins", allowed: "origins such as https://chat.example.com, separated by commas, or *, or nothing",
		parse: func(text string) ([]string, bool) {
			if text == "" {
				return nil, true
			}
			list := strings.Split(text, ",")
			for i := range list {
				list[i] = strings.TrimSpace(list[i])
			}
			return list, text == "*" || !slices.ContainsFunc(list, func(s string) bool { return !one(s) })
		},
		format: func(list []string) string { return strings.Join(list, ",") },
	}
}
