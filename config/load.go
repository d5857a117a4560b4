package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

// fileFlag names the file to read.
const fileFlag = "config"

// Flags adds --config and a flag for each setting of the sections to fs; see [Config.Settings] for how sections are
// named. A key is taken as a flag's name too: --gateway.rateLimit is --gateway.rate-limit.
func Flags(fs *pflag.FlagSet, sections ...string) {
	fs.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		return pflag.NormalizedName(flagName(name))
	})
	fs.String(fileFlag, "", "`file` with settings (yaml, toml or json)")
	var c Config
	for _, s := range c.table() {
		if !s.in(sections) {
			continue
		}
		flag := fs.VarPF(&flagValue{text: s.def, kind: s.kind}, s.flag(), "", s.meaning)
		if s.kind == truth().name {
			flag.NoOptDefVal = "true"
		}
	}
}

// flagValue keeps the text; it is checked with the values of all other sources.
type flagValue struct{ text, kind string }

func (f *flagValue) String() string        { return f.text }
func (f *flagValue) Set(text string) error { f.text = text; return nil }
func (f *flagValue) Type() string          { return f.kind }

// Load reads all sources: defaults, the file named by --config, the environment, and fs, which [Flags] has prepared and
// which is parsed by now; nil stands for no flags. An empty variable counts as none. The error is an [*Error].
func Load(fs *pflag.FlagSet) (Config, error) {
	if fs == nil {
		fs = pflag.NewFlagSet("", pflag.ContinueOnError)
	}
	var c Config
	l := loader{viper: viper.New(), flags: fs, table: c.table()}
	l.readFile()
	l.checkEnvironment()
	c.sources = l.fill()
	if len(l.problems) > 0 {
		return Config{}, &Error{Problems: l.problems}
	}
	return c, nil
}

// loader gathers values and problems on the way from the sources to the fields.
type loader struct {
	viper    *viper.Viper
	flags    *pflag.FlagSet
	table    []setting
	file     string   // path, or ""
	fileKeys []string // what the file sets, in lower case
	problems []Problem
}

// readFile reads the file if one is named, and finds keys there that do not exist.
func (l *loader) readFile() {
	flag := l.flags.Lookup(fileFlag)
	if flag == nil || !flag.Changed {
		return
	}
	l.file = flag.Value.String()
	kinds := []string{".yaml", ".yml", ".toml", ".json"}
	if !slices.Contains(kinds, filepath.Ext(l.file)) {
		l.fileProblem("", "its name must end in "+strings.Join(kinds, ", "))
		return
	}
	l.viper.SetConfigFile(l.file)
	if err := l.viper.ReadInConfig(); err != nil {
		l.fileProblem("", strings.Join(strings.Fields(err.Error()), " "))
		return
	}
	l.fileKeys = l.viper.AllKeys()
	slices.Sort(l.fileKeys)
	for _, key := range l.fileKeys {
		l.checkFileKey(key)
	}
}

func (l *loader) checkFileKey(key string) {
	empty := l.viper.Get(key) == nil
	for _, s := range l.table {
		lower := strings.ToLower(s.key)
		switch {
		case lower == key && empty:
			l.fileProblem(s.key, "it has no value; leave the key out, or it must be "+s.allowed)
			return
		case lower == key, empty && strings.HasPrefix(lower, key+"."): // a section with nothing in it is fine
			return
		}
	}
	l.fileProblem(key, "there is no such setting; "+l.nearest(key, func(s setting) string { return s.key }))
}

func (l *loader) fileProblem(key, reason string) {
	l.problems = append(l.problems, Problem{Key: key, Source: "file " + l.file, Reason: reason})
}

// checkEnvironment finds variables that look like settings and are none.
func (l *loader) checkEnvironment() {
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		known := func(s setting) bool { return s.env() == name }
		if !strings.HasPrefix(name, EnvPrefix) || slices.ContainsFunc(l.table, known) {
			continue
		}
		l.problems = append(l.problems, Problem{
			Key: name, Source: "environment", Reason: "there is no such setting; " + l.nearest(name, setting.env),
		})
	}
}

// fill puts the value of the strongest source into each field, and returns which source that was, by key.
func (l *loader) fill() map[string]string {
	sources := make(map[string]string)
	for _, s := range l.table {
		l.viper.SetDefault(s.key, s.def)
		_ = l.viper.BindEnv(s.key, s.env()) // fails only without a key
		flag := l.flags.Lookup(s.flag())
		if flag != nil {
			_ = l.viper.BindPFlag(s.key, flag) // fails only without a flag
		}
		source := "default"
		switch {
		case flag != nil && flag.Changed:
			source = "flag --" + s.flag()
		case os.Getenv(s.env()) != "":
			source = "env " + s.env()
		case slices.Contains(l.fileKeys, strings.ToLower(s.key)):
			source = "file " + l.file
		}
		if source != "default" {
			sources[s.key] = source
		}
		value := plain(l.viper.Get(s.key))
		if s.parse(value) != nil {
			l.problems = append(l.problems, s.refused(source, value))
		}
	}
	return sources
}

// plain is a value of a file as it would be written in the environment.
func plain(value any) string {
	switch v := value.(type) {
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = plain(v[i])
		}
		return strings.Join(parts, ",")
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return fmt.Sprint(v)
	}
}

// nearest points out the setting whose name is most like the one that does not exist.
func (l *loader) nearest(name string, nameOf func(setting) string) string {
	best := slices.MinFunc(l.table, func(a, b setting) int {
		return distance(name, nameOf(a)) - distance(name, nameOf(b))
	})
	return fmt.Sprintf("the nearest is %s, and the command config lists all", nameOf(best))
}

// distance is the number of letters to insert, delete or change to make a into b, whatever their case.
func distance(a, b string) int {
	a, b = strings.ToLower(a), strings.ToLower(b)
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
