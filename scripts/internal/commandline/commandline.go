// Package commandline reads the command lines of programs that take a list of names.
package commandline

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// List is what the names stand for: all that there is, and the flag that chooses from it.
type List[T any] struct {
	All  []T
	Name func(T) string
	Flag string // such as "servers"
	What string // of the flag's names, in the plural, such as "servers"
}

// Names are those of all, in their order.
func (l List[T]) Names() []string {
	var names []string
	for _, item := range l.All {
		names = append(names, l.Name(item))
	}
	return names
}

// Parse reads the arguments, which are flags only, and gives what the list's flag names, in
// the order of the names; all of it without that flag. The flag is added to flags with this
// usage, which is followed by all names.
//
// For -h it prints how to call the program, after the usage, and gives flag.ErrHelp. Other errors
// are one clear sentence, and nothing is printed.
func (l List[T]) Parse(flags *flag.FlagSet, line, usage string, args []string) ([]T, error) {
	names := flags.String(l.Flag, "", usage+" (default all: "+strings.Join(l.Names(), ",")+")")
	flags.SetOutput(io.Discard)
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Println("usage: " + line)
		flags.SetOutput(os.Stdout)
		flags.PrintDefaults()
		return nil, err
	case err != nil:
		return nil, err
	case flags.NArg() > 0:
		return nil, fmt.Errorf("%q is not a flag; %s are named by -%s %s", flags.Arg(0), l.What, l.Flag, flags.Arg(0))
	case *names == "":
		return l.All, nil
	}
	return l.Named(strings.Split(*names, ","))
}

// Named gives the items of these names, in this order. The error is of the flag.
func (l List[T]) Named(names []string) ([]T, error) {
	var chosen []T
	for _, name := range names {
		i := slices.IndexFunc(l.All, func(item T) bool { return l.Name(item) == name })
		if i < 0 {
			return nil, fmt.Errorf("-%s names %q, want some of %s", l.Flag, name, strings.Join(l.Names(), ","))
		}
		chosen = append(chosen, l.All[i])
	}
	return chosen, nil
}
