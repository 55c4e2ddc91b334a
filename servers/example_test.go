package servers_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/rstlab/rstlab/servers"
	"github.com/rstlab/rstlab/servers/rpc"
)

// A listener whose accept loop has stalled: a client connects all the same,
// and waits in the accept queue.
func ExampleListener() {
	ln, err := servers.Listen(context.Background(), net.ListenConfig{}, "tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ln.Close()
	if err := ln.SetBacklog(2); err != nil {
		fmt.Println(err)
		return
	}
	ln.Hold()

	client, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	length, limit, err := ln.Queue()
	fmt.Println("held:", length, "of", limit, err)

	ln.Release()
	server, err := ln.Accept()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	length, limit, err = ln.Queue()
	fmt.Println("accepted:", length, "of", limit, err)
	// Output:
	// held: 1 of 2 <nil>
	// accepted: 0 of 2 <nil>
}

// The whole system under test: a client, the front, the backend.
func ExampleNewFront() {
	backendListener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	backend := servers.NewBackend()
	go backend.Serve(backendListener)
	defer backend.Close()

	frontListener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	client := &rpc.Client{Address: backendListener.Addr().String(), PoolSize: 2}
	defer client.Close()
	front := servers.NewFront(client, 5*time.Second)
	go front.Serve(frontListener)
	defer front.Close()

	response, err := http.Get("http://" + frontListener.Addr().String() + "/echo?q=hello")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	fmt.Println(response.StatusCode, string(text), err)
	// Output: 200 hello <nil>
}

// Two listeners share an address, and the kernel gives each connection to one of them.
func ExampleListenMembers() {
	members, err := servers.ListenMembers(context.Background(), net.ListenConfig{}, "tcp", "127.0.0.1:0", 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range members {
		defer m.Close()
	}
	fmt.Println(len(members), members[0].Addr().String() == members[1].Addr().String())
	// Output: 2 true
}
