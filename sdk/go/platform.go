package frontdesk

import (
	"context"
	"crypto/rand"
	"errors"
	mathrand "math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/gorilla/websocket"
)

const (
	connectTimeout  = 10 * time.Second
	writeTimeout    = 10 * time.Second
	closeTimeout    = 2 * time.Second
	messageBytesMax = 4 << 20
	// Frames that may wait for the socket; who sends more than it takes has lost the connection.
	outMax = 4096
	// The longest that a server, or a proxy before it, may ask to be left alone.
	postponeMax = time.Hour
)

// Clock is what time it is and what runs later. The default is the system's.
type Clock interface {
	Now() time.Time
	AfterFunc(delay time.Duration, run func()) Timer
}

// Timer is a run that is still to come.
type Timer interface{ Stop() bool }

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) AfterFunc(delay time.Duration, run func()) Timer {
	return time.AfterFunc(delay, run)
}

// socket is an open WebSocket. What it receives goes to the functions it was dialled with, never within a call of its own.
type socket interface {
	send(text []byte)
	close(code int)
}

// platform is what the SDK needs from where it runs; tests bring their own.
type platform struct {
	clock       Clock
	random      func() float64
	randomBytes func([]byte)
	http        *http.Client
	// Reaches the server as the HTTP client does.
	dial func(ctx context.Context, by *http.Client, url string, onMessage func([]byte), onClose func(int)) (socket, error)
	// Runs something beside what runs now.
	spawn func(func())
}

func systemPlatform() platform {
	return platform{
		clock:  systemClock{},
		random: mathrand.Float64,
		randomBytes: func(into []byte) {
			if _, err := rand.Read(into); err != nil {
				panic("the system has no random numbers: " + err.Error())
			}
		},
		http:  &http.Client{},
		dial:  dial,
		spawn: func(run func()) { go run() },
	}
}

// retryAfter reads the header of that name; negative without it.
func retryAfter(header http.Header) time.Duration {
	seconds, err := strconv.ParseFloat(header.Get("Retry-After"), 64)
	if err != nil || seconds < 0 {
		return -1
	}
	return time.Duration(min(seconds, postponeMax.Seconds()) * float64(time.Second))
}

type webSocket struct {
	connection *websocket.Conn
	out        chan []byte
	done       chan struct{}
}

func dial(ctx context.Context, by *http.Client, url string, onMessage func([]byte), onClose func(int)) (socket, error) {
	dialer := websocket.Dialer{HandshakeTimeout: connectTimeout, Subprotocols: []string{subprotocol}, Proxy: http.ProxyFromEnvironment}
	if transport, ok := by.Transport.(*http.Transport); ok {
		dialer.Proxy, dialer.NetDialContext = transport.Proxy, transport.DialContext
		if transport.TLSClientConfig != nil {
			dialer.TLSClientConfig = transport.TLSClientConfig.Clone()
			// A WebSocket is opened over HTTP/1.1.
			dialer.TLSClientConfig.NextProtos = nil
		}
	}
	connection, response, err := dialer.DialContext(ctx, url, nil)
	if err != nil {
		refused := because(CodeConnectionLost, err)
		if response != nil {
			refused.RetryAfter = retryAfter(response.Header)
		}
		return nil, refused
	}
	connection.SetReadLimit(messageBytesMax)
	opened := &webSocket{connection, make(chan []byte, outMax), make(chan struct{})}
	go opened.write()
	go opened.read(onMessage, onClose)
	return opened, nil
}

func (s *webSocket) send(text []byte) {
	select {
	case s.out <- text:
	default:
		s.close(closeNormal)
	}
}

func (s *webSocket) close(code int) {
	// Beside the loop: a socket that takes nothing more is waited for.
	go func() {
		deadline := time.Now().Add(closeTimeout)
		// A peer that is gone gets no close frame; the reader ends either way.
		_ = s.connection.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), deadline)
		time.AfterFunc(closeTimeout, func() { _ = s.connection.Close() })
	}()
}

func (s *webSocket) write() {
	for {
		select {
		case text := <-s.out:
			if s.connection.SetWriteDeadline(time.Now().Add(writeTimeout)) != nil ||
				s.connection.WriteMessage(websocket.TextMessage, text) != nil {
				// The reader tells.
				_ = s.connection.Close()
				return
			}
		case <-s.done:
			return
		}
	}
}

func (s *webSocket) read(onMessage func([]byte), onClose func(int)) {
	code := closeNone
	for {
		_, text, err := s.connection.ReadMessage()
		if err != nil {
			var closed *websocket.CloseError
			if errors.As(err, &closed) {
				code = closed.Code
			}
			break
		}
		onMessage(text)
	}
	close(s.done)
	_ = s.connection.Close()
	onClose(code)
}
