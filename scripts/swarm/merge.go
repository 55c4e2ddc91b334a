package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/rstlab/rstlab/loadclient"
)

const mergeUsage = `usage: go run ./scripts/swarm merge [-json FILE] [-csv FILE] RESULT.json ...

The results are what the shards of one run wrote with -json, in any order.

`

// merge joins the results of all shards.
func merge(args []string, stdout, stderr io.Writer) error {
	var o outputs
	flags := flag.NewFlagSet("merge", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // an error is said once, by whoever calls
	o.flags(flags)
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, mergeUsage)
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return err
	} else if err != nil {
		return usageError{err}
	}
	switch late := slices.IndexFunc(flags.Args(), func(arg string) bool { return strings.HasPrefix(arg, "-") }); {
	case flags.NArg() == 0:
		return usageErrorf("there is nothing to merge: want the files that the shards wrote with -json")
	case late >= 0:
		return usageErrorf("%q stands behind a result: want flags before them", flags.Arg(late))
	case o.json == "-" && o.csv == "-":
		return usageErrorf("-json and -csv both go to standard output: want a file for one of them")
	}
	merged, err := mergeFiles(flags.Args())
	if err != nil {
		return err
	}
	results, err := o.open(stdout)
	if err != nil {
		return err
	}
	if o.takeStdout() {
		stdout = stderr
	}
	tell(stdout, merged)
	if merged.ClockError > 0 {
		fmt.Fprintf(stdout, "the shards' clocks agreed to %v\n", merged.ClockError.Round(time.Microsecond))
	} else {
		fmt.Fprintln(stdout, "nobody knows how far the shards' clocks were apart")
	}
	return errors.Join(results.write(merged), results.close())
}

// mergeFiles reads the results and joins them. The error names the files.
func mergeFiles(names []string) (loadclient.Result, error) {
	results := make([]loadclient.Result, len(names))
	for i, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return loadclient.Result{}, fmt.Errorf("read a result: %w", err)
		}
		if err := json.Unmarshal(text, &results[i]); err != nil {
			return loadclient.Result{}, fmt.Errorf("%s is no result of a swarm: %w", name, err)
		}
	}
	merged, err := loadclient.Merge(results...)
	if misfit, ok := errors.AsType[loadclient.MergeError](err); ok {
		at := names
		if misfit.Results != nil {
			at = nil
			for _, i := range misfit.Results {
				at = append(at, names[i])
			}
		}
		return merged, fmt.Errorf("%s: %w", strings.Join(at, ", "), err)
	}
	return merged, err
}
