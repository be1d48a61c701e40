// A visitor's chat client for Frontdesk on gorilla/websocket, written from docs/protocol.md alone.
//
//	go run . -send 10 http://127.0.0.1:8080 INBOX_KEY
//
// It sends so many messages and prints one JSON object a line: "welcome", "ack", "entry", "lost", and
// "done" with everything it holds. A message is pending until its ack; after every welcome all pending
// ones are sent again with the same ids, so nothing is lost or stored twice.
package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	mathrand "math/rand"
	"net/http"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

type position struct {
	Epoch string `json:"epoch"`
	Seq   uint64 `json:"seq,string,omitempty"`
}

type content struct {
	Text struct {
		Body string `json:"body"`
	} `json:"text"`
}

type entry struct {
	Seq   uint64 `json:"seq,string"`
	Actor struct {
		Kind string `json:"kind"`
	} `json:"actor"`
	ClientMsgID string          `json:"clientMsgId"`
	Content     *content        `json:"content"`
	Tombstone   json.RawMessage `json:"tombstone"`
}

type item struct {
	Entry *entry `json:"entry"`
	Skip  *struct {
		From uint64 `json:"fromSeq,string"`
		To   uint64 `json:"toSeq,string"`
	} `json:"skip"`
}

func (i item) span() (uint64, uint64) {
	if i.Skip != nil {
		return i.Skip.From, i.Skip.To
	}
	return i.Entry.Seq, i.Entry.Seq
}

type opened struct {
	Recovered bool     `json:"recovered"`
	Items     []item   `json:"items"`
	Position  position `json:"position"`
}

type serverFrame struct {
	Welcome *struct {
		ResumeToken string   `json:"resumeToken"`
		Opened      []opened `json:"opened"`
		Limits      struct {
			InFlightMax    int `json:"inFlightMax"`
			PingIntervalMs int `json:"pingIntervalMs"`
		} `json:"limits"`
	} `json:"welcome"`
	Ack *struct {
		ClientMsgID string   `json:"clientMsgId"`
		Position    position `json:"position"`
	} `json:"ack"`
	Refusal *struct {
		Code         string `json:"code"`
		ClientMsgID  string `json:"clientMsgId"`
		RetryAfterMs *int   `json:"retryAfterMs"`
	} `json:"refusal"`
	Entries *struct {
		Epoch string `json:"epoch"`
		Items []item `json:"items"`
	} `json:"entries"`
	Opened *opened          `json:"opened"`
	Done   *json.RawMessage `json:"done"`
	Ping   *json.RawMessage `json:"ping"`
}

// errLost ends a connection; the code tells what to do next.
type errLost struct{ code int }

func (e errLost) Error() string { return fmt.Sprintf("lost with %d", e.code) }

type fields map[string]any

func say(event string, more fields) {
	more["event"] = event
	line, err := json.Marshal(more)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
}

type pending struct{ id, text string }

type visitor struct {
	base, inboxKey, token, conversation, resumeToken string
	window                                           int
	socket                                           *websocket.Conn

	epoch       string
	first, held uint64
	entries     map[uint64]entry
	early       map[uint64]item

	pending   []pending
	flying    map[string]bool
	acks      map[string]uint64
	counter   uint32
	ref       int
	notBefore time.Time
	silence   time.Duration
	synced    string // "", "asked", "yes"
}

// request speaks HTTP; trouble that passes is a lost connection.
func (v *visitor) request(method, path string, body any, answer any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequest(method, v.base+path, bytes.NewReader(data))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if method == http.MethodGet {
		request.Header.Set("Authorization", "Visitor "+v.token)
	}
	response, err := (&http.Client{Timeout: 15 * time.Second}).Do(request)
	if err != nil {
		return errLost{1006}
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case 200:
		return json.NewDecoder(response.Body).Decode(answer)
	case 429, 503, 504:
		v.waitAsTold(response)
		return errLost{1006}
	}
	text, _ := io.ReadAll(io.LimitReader(response.Body, 500))
	return fmt.Errorf("%s: %d %s", path, response.StatusCode, text)
}

// waitAsTold keeps the visitor from coming back before the server wants it.
func (v *visitor) waitAsTold(response *http.Response) {
	seconds, _ := strconv.Atoi(response.Header.Get("Retry-After"))
	v.notBefore = time.Now().Add(time.Duration(seconds) * time.Second)
}

func (v *visitor) ticket() (string, error) {
	body := fields{"kind": "visitor", "inbox_key": v.inboxKey, "language": "en"}
	if v.token != "" {
		body["visitor_token"] = v.token
	}
	var answer struct {
		Ticket       string `json:"ticket"`
		Token        string `json:"visitor_token"`
		Conversation string `json:"conversation_id"`
	}
	err := v.request(http.MethodPost, "/api/v1/tickets", body, &answer)
	if err == nil {
		v.token, v.conversation = answer.Token, answer.Conversation
	}
	return answer.Ticket, err
}

func (v *visitor) loadOlder() error {
	for v.first > 1 {
		var page struct {
			Items []item `json:"items"`
		}
		path := fmt.Sprintf("/api/v1/conversations/%s/entries?limit=200&before=%d", v.conversation, v.first)
		if err := v.request(http.MethodGet, path, nil, &page); err != nil {
			return err
		}
		v.first = 1
		for index, one := range page.Items {
			if index == 0 {
				v.first, _ = one.span()
			}
			if one.Entry != nil {
				v.entries[one.Entry.Seq] = *one.Entry
			}
		}
	}
	return nil
}

func (v *visitor) send(kind string, frame any) error {
	v.ref++
	if err := v.socket.WriteJSON(fields{"ref": v.ref, kind: frame}); err != nil {
		return errLost{1006}
	}
	return nil
}

func (v *visitor) receive() (serverFrame, error) {
	var frame serverFrame
	if err := v.socket.SetReadDeadline(time.Now().Add(v.silence)); err != nil {
		return frame, errLost{1006}
	}
	_, message, err := v.socket.ReadMessage()
	var closed *websocket.CloseError
	if errors.As(err, &closed) {
		return frame, errLost{closed.Code}
	} else if err != nil {
		return frame, errLost{1006}
	}
	return frame, json.Unmarshal(message, &frame)
}

func (v *visitor) position() []fields {
	if v.epoch == "" {
		return []fields{}
	}
	return []fields{{"position": position{v.epoch, v.held}}}
}

func (v *visitor) connect() error {
	hello := fields{"client": "go-example/1.0", "language": "en", "held": v.position()}
	if v.resumeToken != "" {
		hello["resumeToken"] = v.resumeToken
	} else if ticket, err := v.ticket(); err != nil {
		return err
	} else {
		hello["ticket"] = ticket
	}
	dialer := websocket.Dialer{HandshakeTimeout: 10 * time.Second, Subprotocols: []string{"frontdesk.v1.json"}}
	socket, response, err := dialer.Dial("ws"+strings.TrimPrefix(v.base, "http")+"/ws/v1", nil)
	if err != nil {
		if response != nil {
			v.waitAsTold(response) // too many at once
		}
		return errLost{1006}
	}
	v.socket, v.flying, v.synced = socket, map[string]bool{}, ""
	if err := v.send("hello", hello); err != nil {
		return err
	}
	for {
		frame, err := v.receive() // an error comes before the close that tells what to do
		if err != nil {
			return err
		}
		if welcome := frame.Welcome; welcome != nil {
			v.resumeToken = welcome.ResumeToken
			v.window = min(v.window, welcome.Limits.InFlightMax)
			v.silence = time.Duration(welcome.Limits.PingIntervalMs)*time.Millisecond + 10*time.Second
			say("welcome", fields{"recovered": welcome.Opened[0].Recovered})
			return v.open(welcome.Opened[0])
		}
	}
}

func (v *visitor) open(opened opened) error {
	if !opened.Recovered {
		v.epoch, v.first = opened.Position.Epoch, opened.Position.Seq+1
		if len(opened.Items) > 0 {
			v.first, _ = opened.Items[0].span()
		}
		v.held, v.entries, v.early = v.first-1, map[uint64]entry{}, map[uint64]item{}
	}
	return v.take(opened.Items)
}

// take extends what is held; what came before is dropped, what comes early waits.
func (v *visitor) take(items []item) error {
	for _, one := range items {
		if low, _ := one.span(); low > v.held {
			v.early[low] = one
		} else if one.Entry != nil && one.Entry.Tombstone != nil {
			v.entries[low] = *one.Entry
		}
	}
	others := false
	for one, there := v.early[v.held+1]; there; one, there = v.early[v.held+1] {
		delete(v.early, v.held+1)
		_, v.held = one.span()
		if one.Entry == nil {
			continue
		}
		v.entries[one.Entry.Seq] = *one.Entry
		if one.Entry.ClientMsgID != "" {
			v.acked(one.Entry.ClientMsgID, one.Entry.Seq)
		}
		others = others || one.Entry.Actor.Kind != "ACTOR_KIND_VISITOR"
		say("entry", fields{"seq": one.Entry.Seq, "kind": one.Entry.Actor.Kind})
	}
	if len(v.early) > 0 {
		return v.send("sync", fields{"held": v.position()})
	}
	if others {
		seq := strconv.FormatUint(v.held, 10)
		return v.send("cursor", fields{"deliveredSeq": seq, "readSeq": seq})
	}
	return nil
}

// acked takes a message off the pending ones and returns its text.
func (v *visitor) acked(id string, seq uint64) string {
	delete(v.flying, id)
	if _, known := v.acks[id]; !known {
		v.acks[id] = seq
		say("ack", fields{"seq": seq})
	}
	for index, one := range v.pending {
		if one.id == id {
			v.pending = append(v.pending[:index:index], v.pending[index+1:]...)
			return one.text
		}
	}
	return ""
}

func (v *visitor) handle(frame serverFrame) error {
	switch {
	case frame.Ping != nil:
		return v.send("pong", fields{})
	case frame.Ack != nil:
		own := entry{Seq: frame.Ack.Position.Seq, Content: &content{}}
		own.Actor.Kind = "ACTOR_KIND_VISITOR"
		own.Content.Text.Body = v.acked(frame.Ack.ClientMsgID, own.Seq)
		return v.take([]item{{Entry: &own}})
	case frame.Refusal != nil:
		delete(v.flying, frame.Refusal.ClientMsgID)
		if v.synced == "asked" {
			v.synced = "" // a refused position check is made again
		}
		if frame.Refusal.RetryAfterMs == nil {
			return fmt.Errorf("refused: %s", frame.Refusal.Code)
		}
		v.notBefore = time.Now().Add(time.Duration(*frame.Refusal.RetryAfterMs) * time.Millisecond)
	case frame.Entries != nil && frame.Entries.Epoch != v.epoch:
		v.epoch = "" // restored from a backup: begin anew
		return errLost{1006}
	case frame.Entries != nil:
		return v.take(frame.Entries.Items)
	case frame.Opened != nil:
		return v.open(*frame.Opened)
	case frame.Done != nil:
		v.synced = "yes"
	}
	return nil
}

// live sends what may be sent and takes frames in until everything is acked and checked.
func (v *visitor) live() error {
	for len(v.pending) > 0 || v.synced != "yes" {
		if len(v.flying) == 0 {
			time.Sleep(time.Until(v.notBefore)) // as long as a refusal asked for
		}
		if len(v.pending) == 0 && v.synced == "" {
			v.synced = "asked"
			if err := v.send("sync", fields{"held": v.position()}); err != nil {
				return err
			}
		}
		for _, one := range v.pending {
			if len(v.flying) >= v.window || time.Now().Before(v.notBefore) {
				break
			}
			if v.flying[one.id] {
				continue
			}
			v.flying[one.id] = true
			text := fields{"text": fields{"body": one.text}}
			if err := v.send("send", fields{"clientMsgId": one.id, "content": text}); err != nil {
				return err
			}
		}
		frame, err := v.receive()
		if err == nil {
			err = v.handle(frame)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// say queues a message. Its id rises: 6 bytes of UTC milliseconds, 4 of a counter, 6 random.
func (v *visitor) say(text string) {
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:8], uint64(time.Now().UnixMilli())<<16)
	v.counter++
	binary.BigEndian.PutUint32(raw[6:10], v.counter)
	if _, err := rand.Read(raw[10:]); err != nil {
		panic(err)
	}
	v.pending = append(v.pending, pending{base64.StdEncoding.EncodeToString(raw[:]), text})
}

// run connects and reconnects as the close codes say, until everything is done.
func (v *visitor) run() error {
	for attempt := 0; ; attempt++ {
		err := v.connect()
		if err == nil {
			attempt = 0
			err = v.live()
		}
		if v.socket != nil {
			defer v.socket.Close()
		}
		var lost errLost
		if !errors.As(err, &lost) {
			return err
		}
		say("lost", fields{"code": lost.code})
		switch {
		case lost.code >= 3500, lost.code == 1002, lost.code == 1003, lost.code == 1007, lost.code == 1009:
			return err
		case lost.code >= 3400:
			v.resumeToken = "" // the server knows it no more: get a ticket
		}
		longest := math.Min(30, 0.5*math.Pow(2, float64(attempt)))
		wait := time.Duration(mathrand.Float64() * longest * float64(time.Second))
		time.Sleep(max(wait, time.Until(v.notBefore)))
	}
}

func main() {
	count := flag.Int("send", 0, "send so many messages")
	label := flag.String("label", "message", "begins the text of each")
	window := flag.Int("window", 1, "messages that may wait for their ack")
	token := flag.String("token", "", "the visitor token of an earlier run")
	flag.Parse()
	if flag.NArg() != 2 {
		fmt.Fprintln(os.Stderr, "usage: go-client [flags] SERVER INBOX_KEY")
		os.Exit(64)
	}
	v := &visitor{
		base: strings.TrimRight(flag.Arg(0), "/"), inboxKey: flag.Arg(1), token: *token, window: *window,
		acks: map[string]uint64{}, silence: 35 * time.Second,
	}
	for number := range *count {
		v.say(fmt.Sprintf("%s-%d", *label, number))
	}
	err := v.run()
	if err == nil {
		err = v.loadOlder()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "stopped:", err)
		os.Exit(1)
	}
	held, acks := []fields{}, []uint64{}
	for _, one := range v.entries {
		line := fields{"seq": one.Seq, "kind": one.Actor.Kind}
		if one.Content != nil {
			line["text"] = one.Content.Text.Body
		}
		held = append(held, line)
	}
	sort.Slice(held, func(a, b int) bool { return held[a]["seq"].(uint64) < held[b]["seq"].(uint64) })
	for _, seq := range v.acks {
		acks = append(acks, seq)
	}
	sort.Slice(acks, func(a, b int) bool { return acks[a] < acks[b] })
	say("done", fields{
		"conversation": v.conversation, "token": v.token, "held": v.held, "acks": acks, "entries": held,
	})
}
