// G0: the relay F0 in Go on gorilla/websocket, a baseline of `frontdesk bench goals` (goal 11).
//
// The frames of crates/loadgen/src/baseline.rs, each in one binary WebSocket message. No storage, no
// decoding beyond who a message is from. A goroutine reads each connection; a visitor's ack is written
// by the same goroutine, an agent's deliveries by one of its own. gorilla writes each message by itself.
//
// It prints its address as the first line and ends with its standard input.
package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"

	"github.com/gorilla/websocket"
)

const (
	messageBytes = 200
	ackBytes     = 24
	helloBytes   = 12
	// Stated in the report of the goal.
	bufferBytes = 1024
	// Deliveries of one agent that wait; beyond them visitors wait.
	queued = 4096
)

var upgrader = websocket.Upgrader{
	ReadBufferSize:  bufferBytes,
	WriteBufferSize: bufferBytes,
	CheckOrigin:     func(*http.Request) bool { return true },
}

// agents by their number. All are there before the first visitor is.
var agents = struct {
	sync.RWMutex
	queues []chan []byte
}{}

func serve(writer http.ResponseWriter, request *http.Request) {
	connection, err := upgrader.Upgrade(writer, request, nil)
	if err != nil {
		return
	}
	defer connection.Close()
	_, hello, err := connection.ReadMessage()
	if err != nil || len(hello) != helloBytes {
		return
	}
	if binary.LittleEndian.Uint32(hello[4:]) == 1 {
		agent(connection, int(binary.LittleEndian.Uint32(hello[8:])))
		return
	}
	visitor(connection)
}

func agent(connection *websocket.Conn, index int) {
	queue := make(chan []byte, queued)
	agents.Lock()
	for len(agents.queues) <= index {
		agents.queues = append(agents.queues, nil)
	}
	agents.queues[index] = queue
	agents.Unlock()
	gone := make(chan struct{})
	go func() {
		// Agents say nothing; this notices when they go.
		_, _, _ = connection.ReadMessage()
		close(gone)
	}()
	for {
		select {
		case message := <-queue:
			if connection.WriteMessage(websocket.BinaryMessage, message) != nil {
				return
			}
		case <-gone:
			return
		}
	}
}

func visitor(connection *websocket.Conn) {
	var ack [ackBytes]byte
	binary.LittleEndian.PutUint32(ack[:], ackBytes-4)
	for {
		_, message, err := connection.ReadMessage()
		if err != nil || len(message) != messageBytes {
			return
		}
		agents.RLock()
		queue := agents.queues[int(binary.LittleEndian.Uint32(message[4:]))%len(agents.queues)]
		agents.RUnlock()
		queue <- message
		copy(ack[4:16], message[4:16])
		if connection.WriteMessage(websocket.BinaryMessage, ack[:]) != nil {
			return
		}
	}
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go func() {
		fmt.Fprintln(os.Stderr, http.Serve(listener, http.HandlerFunc(serve)))
		os.Exit(1)
	}()
	fmt.Println(listener.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
}
