// Package captured lets tests see what a program reads and prints.
package captured

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// Run runs fn with text as its standard input, and gives what it prints. The test must not
// run in parallel with others.
func Run(t *testing.T, input string, fn func()) (stdout, stderr string) {
	t.Helper()
	folder := t.TempDir()
	open := func(name, content string) *os.File {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		return file
	}
	files := [...]*os.File{open("stdin", input), open("stdout", ""), open("stderr", "")}
	func() {
		in, out, errs := os.Stdin, os.Stdout, os.Stderr
		defer func() { os.Stdin, os.Stdout, os.Stderr = in, out, errs }()
		os.Stdin, os.Stdout, os.Stderr = files[0], files[1], files[2]
		fn()
	}()
	var texts []string
	for _, file := range files {
		text, err := os.ReadFile(file.Name())
		if err := errors.Join(err, file.Close()); err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	return texts[1], texts[2]
}
