package config

import (
	"slices"
	"strings"
	"unicode"
)

// EnvPrefix begins the name of every variable that Tidemark reads. No other variable may begin with it.
const EnvPrefix = "TIDEMARK_"

// setting is one line of the table, bound to the field it fills.
type setting struct {
	key     string
	def     string
	kind    string // short name of the value in help: "address"
	allowed string // which values are, as the end of a sentence
	meaning string
	secret  bool // the value is never repeated in an error
	live    bool // a process takes up another value while it runs, see [Config.Adopt]

	parse func(text string) error // checks text and fills the field; its error adds to "allowed" and may be empty
	text  func() string           // the field as it is printed, secrets masked
	value func() any              // the field
	put   func(value any)         // fills the field with a value of the same setting
}

// kind is a family of values: how they are read, and how they are printed.
type kind[T any] struct {
	name    string
	allowed string
	secret  bool
	parse   func(text string) (T, bool)
	format  func(T) string
}

// set binds one setting to its field.
func set[T any](field *T, key, def string, k kind[T], meaning string) setting {
	return setting{
		key: key, def: def, kind: k.name, allowed: k.allowed, meaning: meaning, secret: k.secret,
		parse: func(text string) error {
			value, ok := k.parse(strings.TrimSpace(text))
			if !ok {
				return errNotAllowed
			}
			*field = value
			return nil
		},
		text:  func() string { return k.format(*field) },
		value: func() any { return *field },
		put:   func(value any) { *field = value.(T) },
	}
}

// reloadable is a setting that a running process takes up when it has been read again.
func (s setting) reloadable() setting {
	s.live = true
	return s
}

// env is the variable's name: gateway.pinTTL is TIDEMARK_GATEWAY_PIN_TTL.
func (s setting) env() string {
	return EnvPrefix + strings.ToUpper(strings.ReplaceAll(words(s.key, '_'), ".", "_"))
}

// flag is the flag's name without dashes: gateway.pinTTL is gateway.pin-ttl.
func (s setting) flag() string { return flagName(s.key) }

func flagName(key string) string { return strings.ToLower(words(key, '-')) }

// in tells whether the setting is, or lies within, one of the sections; no sections at all mean all of them.
func (s setting) in(sections []string) bool {
	return len(sections) == 0 || slices.ContainsFunc(sections, func(section string) bool {
		return s.key == section || strings.HasPrefix(s.key, section+".")
	})
}

// words puts separator between the words of a camelCase key; capitals in a row are one word.
func words(key string, separator rune) string {
	var b strings.Builder
	var last rune
	for _, r := range key {
		if unicode.IsUpper(r) && unicode.IsLower(last) {
			b.WriteRune(separator)
		}
		b.WriteRune(r)
		last = r
	}
	return b.String()
}
