package gate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
)

// decode reads rstlab.yaml over what c has. The error begins with the place.
func (c *Config) decode(text []byte) error {
	err := yaml.NewDecoder(bytes.NewReader(text), yaml.DisallowUnknownField()).Decode(c)
	if errors.Is(err, io.EOF) {
		return errors.New(" is empty: want at least a target and a port")
	}
	if wrong, ok := errors.AsType[yaml.Error](err); ok {
		place := wrong.GetToken().Position
		return fmt.Errorf(":%d:%d: %s%s", place.Line, place.Column, inOwnWords(wrong.GetMessage()), known(err))
	}
	return err
}

// inOwnWords leaves out the names that the types have in Go.
func inOwnWords(message string) string {
	what, kind, found := strings.Cut(message, " into Go ")
	if !found {
		return message
	}
	wanted := map[string]string{"int": "a whole number", "time.Duration": "a duration such as 500ms", "bool": "true or false", "string": "text"}
	kind = kind[strings.LastIndex(kind, " ")+1:]
	if words, ok := wanted[kind]; ok {
		kind = words
	}
	return strings.Replace(what, "cannot unmarshal", "cannot read", 1) + " as " + kind
}

// known lists the names that a file may have, where one was not known.
func known(err error) string {
	if _, unknown := errors.AsType[*yaml.UnknownFieldError](err); !unknown {
		return ""
	}
	return ": want one of " + strings.Join(append(fields(Config{}), "or in limits "+strings.Join(fields(Limits{}), ", ")), ", ")
}

func fields(of any) (names []string) {
	for field := range reflect.TypeOf(of).Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		names = append(names, name)
	}
	return names
}
