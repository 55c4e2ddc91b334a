package loadclient

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/rstlab/rstlab/netlab/scenario"
	"golang.org/x/sys/unix"
)

func TestProgressLine(t *testing.T) {
	t.Parallel()
	counts := &tally{clients: 400}
	counts.started.Store(400)
	counts.connected.Store(398)
	if got, want := counts.String(), "400 clients: started 400, connected 398"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
	counts.fates[scenario.Served].Store(331)
	counts.fates[scenario.Reset].Store(69)
	if got, want := counts.String(), "400 clients: started 400, connected 398; served 331, reset 69"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
}

func TestProgressIsQuietWithoutTerminal(t *testing.T) {
	t.Parallel()
	file, err := os.CreateTemp(t.TempDir(), "progress")
	if err != nil {
		t.Fatalf("create file: %v", err)
	}
	defer file.Close()
	var buffer strings.Builder
	counts := &tally{clients: 1}
	counts.display(nil)()
	counts.display((*os.File)(nil))()
	counts.display(&buffer)()
	counts.display(file)()
	if size, err := file.Seek(0, 1); size != 0 || err != nil || buffer.Len() != 0 {
		t.Errorf("wrote %d bytes to a file (%v) and %q to a buffer, want nothing", size, err, buffer.String())
	}
}

func TestProgressOnTerminal(t *testing.T) {
	t.Parallel()
	screen, terminal := openTerminal(t)
	(&tally{clients: 1}).display(terminal)()
	const want = "\r\x1b[K1 clients: started 0, connected 0\r\x1b[K"
	got := make([]byte, len(want))
	if _, err := io.ReadFull(screen, got); err != nil || string(got) != want {
		t.Errorf("terminal shows %q (%v), want %q", got, err, want)
	}
}

// openTerminal opens a pseudo-terminal: what is written to terminal can be read
// from screen.
func openTerminal(t *testing.T) (screen, terminal *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("needs a pseudo-terminal: %v", err)
	}
	t.Cleanup(func() { screen.Close() })
	fd := int(screen.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatalf("unlock terminal: %v", err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatalf("number terminal: %v", err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("needs /dev/pts: %v", err)
	}
	t.Cleanup(func() { terminal.Close() })
	return screen, terminal
}
