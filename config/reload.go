package config

import (
	"maps"
	"reflect"
)

// Adopt is c with those settings of next that a running process can take up. changed are their keys; waiting are the keys
// of the others that differ, which take a restart.
func (c Config) Adopt(next Config) (adopted Config, changed, waiting []string) {
	adopted = c
	adopted.sources = maps.Clone(c.sources)
	if adopted.sources == nil {
		adopted.sources = make(map[string]string)
	}
	to := adopted.table()
	for i, from := range next.table() {
		switch {
		case reflect.DeepEqual(to[i].value(), from.value()):
		case from.live:
			to[i].put(from.value())
			changed = append(changed, from.key)
		default:
			waiting = append(waiting, from.key)
		}
		if from.live {
			adopted.sources[from.key] = next.source(from.key)
		}
	}
	return adopted, changed, waiting
}
