package rpc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/rstlab/rstlab/servers/rpc"
)

func upper(_ context.Context, method string, payload []byte) ([]byte, error) {
	if method != "upper" {
		return nil, &rpc.RemoteError{Code: rpc.BadRequest, Message: fmt.Sprintf("method is %q, want upper", method)}
	}
	return []byte(strings.ToUpper(string(payload))), nil
}

func ExampleServer() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	server := &rpc.Server{Handler: upper}
	go server.Serve(ln)
	client := &rpc.Client{Address: ln.Addr().String(), PoolSize: 1}

	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	answer, err := client.Call(ctx, "upper", []byte("hello"))
	fmt.Printf("%s %v\n", answer, err)
	_, err = client.Call(ctx, "lower", nil)
	fmt.Println(err)

	client.Close()
	fmt.Println(server.Shutdown(ctx))
	// Output:
	// HELLO <nil>
	// bad request: method is "lower", want upper
	// <nil>
}

// Without a pool every call makes its own connection, and its error says how
// far it came.
func ExampleClient() {
	client := &rpc.Client{Address: "127.0.0.1:1"} // nobody listens there
	defer client.Close()
	_, err := client.Call(context.Background(), "upper", nil)
	if failed, ok := errors.AsType[*rpc.CallError](err); ok {
		fmt.Println(failed.Op)
	}
	fmt.Println(err)
	// Output:
	// dial
	// 127.0.0.1:1: dial: connect: connection refused
}

// Two frames in one stream.
func ExampleReadFrame() {
	const limit = 1 << 20
	var stream bytes.Buffer
	for id := range uint64(2) {
		err := rpc.WriteFrame(&stream, rpc.Frame{ID: id + 1, Kind: rpc.Request, Method: "upper", Payload: []byte("hello")}, limit)
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	for {
		f, err := rpc.ReadFrame(&stream, limit)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%d %s %s\n", f.ID, f.Method, f.Payload)
	}
	// Output:
	// 1 upper hello
	// 2 upper hello
	// EOF
}
