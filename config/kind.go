package config

import (
	"fmt"
	"math"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

const off = "off"

// address is host:port with a numeric port; an empty host is every interface, port 0 any free one.
func address() kind[string] {
	return kind[string]{
		name: "address", allowed: "host:port, such as 127.0.0.1:3000",
		parse: func(text string) (string, bool) {
			_, port, err := net.SplitHostPort(text)
			if err != nil || strings.ContainsAny(text, " /@") {
				return "", false
			}
			_, err = strconv.ParseUint(port, 10, 16)
			return text, err == nil
		},
		format: asIs,
	}
}

// addressOrOff is an address, or the word off, which becomes "".
func addressOrOff() kind[string] {
	k := address()
	k.allowed += ", or off"
	inner := k.parse
	k.parse = func(text string) (string, bool) {
		if text == off {
			return "", true
		}
		return inner(text)
	}
	k.format = func(value string) string {
		if value == "" {
			return off
		}
		return value
	}
	return k
}

// Rate is a frequency per second; 0 stands for no limit.
type Rate float64

// Off tells that there is no limit.
func (r Rate) Off() bool { return r == 0 }

func rate() kind[Rate] {
	return kind[Rate]{
		name: "rate", allowed: "a number above 0 and up to 1000000, or off",
		parse: func(text string) (Rate, bool) {
			if text == off {
				return 0, true
			}
			value, err := strconv.ParseFloat(text, 64)
			return Rate(value), err == nil && value > 0 && value <= 1e6
		},
		format: func(r Rate) string {
			if r.Off() {
				return off
			}
			return strconv.FormatFloat(float64(r), 'f', -1, 64)
		},
	}
}

// Limit is a largest number of something; 0 stands for no limit.
type Limit int

// Off tells that there is no limit.
func (l Limit) Off() bool { return l == 0 }

func limit() kind[Limit] {
	inner := number(1, 1_000_000)
	return kind[Limit]{
		name: "number", allowed: inner.allowed + ", or off",
		parse: func(text string) (Limit, bool) {
			if text == off {
				return 0, true
			}
			value, ok := inner.parse(text)
			return Limit(value), ok
		},
		format: func(l Limit) string {
			if l.Off() {
				return off
			}
			return strconv.Itoa(int(l))
		},
	}
}

// ratio is a share of a whole.
func ratio() kind[float64] {
	return kind[float64]{
		name: "ratio", allowed: "a number from 0 to 1",
		parse: func(text string) (float64, bool) {
			value, err := strconv.ParseFloat(text, 64)
			return value, err == nil && 0 <= value && value <= 1
		},
		format: func(r float64) string { return strconv.FormatFloat(r, 'f', -1, 64) },
	}
}

func truth() kind[bool] {
	return kind[bool]{
		name: "true|false", allowed: "true or false",
		parse:  func(text string) (bool, bool) { return text == "true", text == "true" || text == "false" },
		format: strconv.FormatBool,
	}
}

func number(least, most int) kind[int] {
	return kind[int]{
		name: "number", allowed: fmt.Sprintf("a whole number from %d to %d", least, most),
		parse: func(text string) (int, bool) {
			value, err := strconv.Atoi(text)
			return value, err == nil && least <= value && value <= most
		},
		format: strconv.Itoa,
	}
}

// size is a number of bytes; see [Size].
func size(least, most Size) kind[Size] {
	return kind[Size]{
		name: "size", allowed: fmt.Sprintf("bytes from %v to %v, such as 16KiB, 64MiB or 10GiB", least, most),
		parse: func(text string) (Size, bool) {
			value, err := ParseSize(text)
			return value, err == nil && least <= value && value <= most
		},
		format: Size.String,
	}
}

func duration(least, most time.Duration) kind[time.Duration] {
	return kind[time.Duration]{
		name: "duration", allowed: fmt.Sprintf("a time from %s to %s, such as 500ms, 30s or 2h", short(least), short(most)),
		parse: func(text string) (time.Duration, bool) {
			value, err := time.ParseDuration(text)
			return value, err == nil && least <= value && value <= most
		},
		format: short,
	}
}

// oneOf allows the given values, written as fmt prints them, in lower case.
func oneOf[T comparable](values ...T) kind[T] {
	written := func(value T) string { return strings.ToLower(fmt.Sprint(value)) }
	names := make([]string, len(values))
	byName := make(map[string]T, len(values))
	for i, value := range values {
		names[i] = written(value)
		byName[names[i]] = value
	}
	return kind[T]{
		name: strings.Join(names, "|"), allowed: "one of " + strings.Join(names, ", "),
		parse: func(text string) (T, bool) {
			value, ok := byName[text]
			return value, ok
		},
		format: written,
	}
}

func path() kind[string] {
	return kind[string]{
		name: "path", allowed: "a path",
		parse:  func(text string) (string, bool) { return text, text != "" && !strings.ContainsRune(text, 0) },
		format: asIs,
	}
}

// pathOrNone is a path, of a file that is looked at only by the service that uses it, or nothing.
func pathOrNone() kind[string] {
	return kind[string]{
		name: "path", allowed: "a path, or nothing",
		parse:  func(text string) (string, bool) { return text, !strings.ContainsRune(text, 0) },
		format: asIs,
	}
}

// file is the path of a file that can be seen, or nothing.
func file() kind[string] {
	return kind[string]{
		name: "file", allowed: "the path of an existing file, or nothing",
		parse: func(text string) (string, bool) {
			if text == "" {
				return "", true
			}
			info, err := os.Stat(text)
			return text, err == nil && !info.IsDir()
		},
		format: asIs,
	}
}

// anything is any text, or none.
func anything() kind[string] {
	return kind[string]{
		name: "text", allowed: "any text, or nothing",
		parse:  func(text string) (string, bool) { return text, !strings.ContainsRune(text, 0) },
		format: asIs,
	}
}

func asIs(text string) string { return text }

// short is d without the zero minutes and seconds that [time.Duration.String] adds: 2h, not 2h0m0s.
func short(d time.Duration) string {
	text := d.String()
	if trimmed, ok := strings.CutSuffix(text, "m0s"); ok {
		text = trimmed + "m"
	}
	if trimmed, ok := strings.CutSuffix(text, "h0m"); ok {
		text = trimmed + "h"
	}
	return text
}

// Size is a number of bytes.
type Size int64

// Units of Size; larger ones are powers of 1024.
const (
	KiB Size = 1 << 10
	MiB Size = 1 << 20
	GiB Size = 1 << 30
	TiB Size = 1 << 40
)

var units = []struct {
	name  string
	bytes Size
}{{"TiB", TiB}, {"GiB", GiB}, {"MiB", MiB}, {"KiB", KiB}, {"B", 1}}

// ParseSize reads a whole number of bytes, or of KiB, MiB, GiB or TiB.
func ParseSize(text string) (Size, error) {
	digits, unit := text, Size(1)
	for _, u := range units {
		if rest, ok := strings.CutSuffix(text, u.name); ok {
			digits, unit = strings.TrimSpace(rest), u.bytes
			break
		}
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || n > uint64(math.MaxInt64/unit) {
		return 0, fmt.Errorf("%q is not a size", text)
	}
	return Size(n) * unit, nil
}

// String uses the largest unit that divides s.
func (s Size) String() string {
	for _, u := range units {
		if s != 0 && s%u.bytes == 0 {
			return strconv.FormatInt(int64(s/u.bytes), 10) + u.name
		}
	}
	return "0B"
}
