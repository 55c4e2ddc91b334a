package gate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// decode reads rstlab.yaml over what c has. The error begins with the place.
func (c *Config) decode(text []byte) error {
	decoder := yaml.NewDecoder(bytes.NewReader(text), yaml.DisallowUnknownField(), yaml.CustomUnmarshaler(duration))
	err := decoder.Decode(c)
	if err == nil && !errors.Is(decoder.Decode(new(Config)), io.EOF) {
		return errors.New(" has more than one document: want one, without a line ---")
	}
	if errors.Is(err, io.EOF) {
		return errors.New(" is empty: want at least a target and a port")
	}
	if wrong, ok := errors.AsType[yaml.Error](err); ok {
		place := wrong.GetToken().Position
		return fmt.Errorf(":%d:%d: %s%s", place.Line, place.Column, inOwnWords(wrong.GetMessage()), known(err))
	}
	if err != nil {
		return fmt.Errorf(": %w", err)
	}
	return nil
}

// duration reads a duration, which must have a unit.
func duration(to *time.Duration, text []byte) (err error) {
	value := strings.Trim(strings.TrimSpace(string(text)), `"'`)
	if *to, err = time.ParseDuration(value); err != nil {
		return fmt.Errorf("%q is no duration: want one such as 500ms", value)
	}
	return nil
}

// inOwnWords leaves out the names that the types have in Go.
func inOwnWords(message string) string {
	what, kind, found := strings.Cut(message, " into Go ")
	if !found {
		return message
	}
	wanted := map[string]string{"int": "a whole number", "bool": "true or false", "string": "text"}
	kind = kind[strings.LastIndex(kind, " ")+1:]
	if words, ok := wanted[kind]; ok {
		kind = words
	}
	for in, words := range map[string]string{"uint64": "a number", "float64": "a number", "string": "text", "[]interface {}": "a list", "map[string]interface {}": "a map"} {
		if strings.HasSuffix(what, " "+in) {
			what = strings.TrimSuffix(what, in) + words
			break
		}
	}
	return strings.Replace(what, "cannot unmarshal", "cannot read", 1) + " as " + kind
}

// known lists the names that a file may have, where one was not known.
func known(err error) string {
	if _, unknown := errors.AsType[*yaml.UnknownFieldError](err); !unknown {
		return ""
	}
	return ": want one of " + strings.Join(fields(Config{}), ", ") + "; in limits " + strings.Join(fields(Limits{}), ", ") +
		"; in arrivals clients, at, gap"
}

func fields(of any) (names []string) {
	for field := range reflect.TypeOf(of).Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		names = append(names, name)
	}
	return names
}
