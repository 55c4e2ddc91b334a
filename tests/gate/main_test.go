package gate_test

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"testing"

	"github.com/rstlab/rstlab/netlab"
	"golang.org/x/sys/unix"
)

// sample is a server that is right or wrong in one way.
var sample = netlab.Role{Name: "sample", Run: runSample}

func TestMain(m *testing.M) { netlab.Main(m, sample) }

func runSample(args []string) error {
	flags := flag.NewFlagSet("sample", flag.ContinueOnError)
	listen := flags.String("listen", ":8080", "")
	network := flags.String("network", "tcp", "")
	how := flags.String("how", "http", "")
	dieAfter := flags.Int("die-after", 0, "number of requests")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *how == "mute" { // it never listens
		return unix.Pause()
	}
	ln, err := net.Listen(*network, *listen)
	if err != nil {
		return err
	}
	fmt.Println("sample: up")
	switch *how {
	case "deaf": // its accept loop does not run
		return unix.Pause() // an empty select would pass for a deadlock where cgo is off
	case "one": // and stops after one
		conn, err := ln.Accept()
		if err != nil {
			return err
		}
		return http.Serve(oneListener{only(conn)}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ok") }))
	case "pong":
		return pong(ln)
	}
	if *how == "closes" { // its listener, after the first client, and lives on
		go func() {
			conn, err := ln.Accept()
			if err == nil {
				ln.Close()
				http.Serve(oneListener{only(conn)}, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			}
		}()
		return unix.Pause()
	}
	requests := 0
	return http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests++; requests == *dieAfter {
			fmt.Println("sample: out of luck")
			os.Exit(7)
		}
		switch {
		case r.URL.Path != "/":
			http.NotFound(w, r)
		case *how == "busy" && requests > 1:
			http.Error(w, "busy", http.StatusServiceUnavailable)
		}
	}))
}

func only(conn net.Conn) chan net.Conn {
	conns := make(chan net.Conn, 1)
	conns <- conn
	return conns
}

// oneListener accepts what it was given, and then nobody.
type oneListener struct{ conns chan net.Conn }

func (l oneListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	default:
		return nil, unix.Pause()
	}
}

func (l oneListener) Close() error   { return nil }
func (l oneListener) Addr() net.Addr { return nil }

// pong answers PING with +PONG, and everything else with -ERR.
func pong(ln net.Listener) error {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer conn.Close()
			buffer := make([]byte, 6)
			for {
				if _, err := io.ReadFull(conn, buffer); err != nil {
					return
				}
				answer := "-ERR\r\n"
				if string(buffer) == "PING\r\n" {
					answer = "+PONG\r\n"
				}
				io.WriteString(conn, answer)
			}
		}()
	}
}
