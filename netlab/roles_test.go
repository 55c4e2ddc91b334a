package netlab

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"

	"golang.org/x/sys/unix"
)

// runTree is a server whose work is done by a child, as a shell script or a
// supervisor would start it.
func runTree(args []string) error { return roleCommand("listener", args).Run() }

// runDaemon ends at once and leaves a server in the background, which holds the
// other end of a pipe.
func runDaemon(args []string) error {
	alive, held, err := os.Pipe()
	if err != nil {
		return err
	}
	cmd := roleCommand("orphan", args)
	cmd.ExtraFiles = []*os.File{alive}
	defer runtime.KeepAlive(held)
	return cmd.Start()
}

// runOrphan listens when the program that started it has ended, which ends its pipe.
func runOrphan(args []string) error {
	if _, err := io.ReadAll(os.NewFile(3, "alive")); err != nil {
		return err
	}
	return runListener(args)
}

func roleCommand(role string, args []string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd
}

// runBusy keeps several threads running.
func runBusy([]string) error {
	runtime.GOMAXPROCS(4)
	for range 4 {
		go func() {
			for {
				runtime.Gosched()
			}
		}()
	}
	fmt.Println("busy")
	select {}
}

// runListener accepts at once on the address args[0] and keeps every connection.
func runListener(args []string) error {
	ln, err := net.Listen("tcp", args[0])
	if err != nil {
		return err
	}
	fmt.Println("listening on", args[0])
	var kept []net.Conn // or the garbage collector would close them
	defer func() { runtime.KeepAlive(kept) }()
	for {
		conn, err := ln.Accept()
		if err != nil {
			return err
		}
		kept = append(kept, conn)
	}
}

// runDeaf does not hear SIGTERM.
func runDeaf([]string) error {
	signal.Ignore(unix.SIGTERM)
	fmt.Println("deaf")
	select {}
}

// runWithoutNamespaces runs the tests where no namespace of any kind can be made.
// It is root of a user namespace of its own, so its limits are its own too.
func runWithoutNamespaces(args []string) error {
	for _, key := range []string{"user.max_user_namespaces", "user.max_net_namespaces"} {
		if err := writeSysctl(key, "0"); err != nil {
			return err
		}
	}
	return unix.Exec("/proc/self/exe", append([]string{os.Args[0]}, args...), without(os.Environ(), roleVariable))
}

// runWithoutTUN says what TUNAvailable says where there is no device, or one without
// permission. It has a mount namespace of its own. The capabilities go, or root would
// need no permission.
func runWithoutTUN(args []string) error {
	if err := unix.Mount("none", "/dev", "tmpfs", 0, ""); err != nil {
		return fmt.Errorf("mount an empty /dev: %w", err)
	}
	if args[0] == "permission" {
		if err := errors.Join(os.Mkdir("/dev/net", 0o755), os.WriteFile(tunDevice, nil, 0), dropCapabilities()); err != nil {
			return err
		}
	}
	fmt.Println(TUNAvailable())
	return nil
}

func dropCapabilities() error {
	var none [2]unix.CapUserData
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	return os.NewSyscallError("capset", unix.Capset(&header, &none[0]))
}
