package gate

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/rstlab/rstlab/loadclient"
	"github.com/rstlab/rstlab/netlab/scenario"
)

// pairs is a flag that adds one entry to a map each time.
type pairs struct{ to *map[string]string }

func (p pairs) Set(value string) error {
	key, value, found := strings.Cut(value, "=")
	if !found || key == "" {
		return errors.New("no equals sign")
	}
	if *p.to == nil {
		*p.to = map[string]string{}
	}
	(*p.to)[key] = value
	return nil
}

func (p pairs) String() string {
	if p.to == nil {
		return ""
	}
	var all []string
	for _, key := range slices.Sorted(maps.Keys(*p.to)) {
		all = append(all, key+"="+(*p.to)[key])
	}
	return strings.Join(all, " ")
}

func (p pairs) Get() any { return *p.to }

// waves is a flag with arrivals in JSON.
type waves struct{ to *scenario.Arrivals }

func (w waves) Set(value string) (err error) {
	*w.to, err = scenario.ReadArrivals(strings.NewReader(value))
	return err
}

func (w waves) String() string { return "" }

func (w waves) Get() any { return *w.to }

// text is a flag with the escapes of a Go string, which a shell does not know.
type text struct{ to *string }

func (t text) Set(value string) (err error) {
	*t.to, err = loadclient.Unescape(value)
	return err
}

func (t text) String() string {
	if t.to == nil {
		return ""
	}
	return *t.to
}

func (t text) Get() any { return *t.to }
