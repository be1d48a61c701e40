package frontdesk

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"frontdesk.example/sdk/wire"
)

// Against the real server, which is killed with -9 and restarted in the middle: nothing is lost, doubled or out of order.
// FRONTDESK_BIN names the binary.

const (
	messageCount = 200
	stepTimeout  = 2 * time.Minute
)

// program is a program whose standard output is read line by line.
type program struct {
	t       *testing.T
	command *exec.Cmd
	in      io.WriteCloser
	lines   chan string
}

func run(t *testing.T, env []string, words ...string) *program {
	t.Helper()
	command := exec.Command(words[0], words[1:]...)
	command.Env = append(os.Environ(), env...)
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	started := &program{t, command, in, make(chan string)}
	go func() {
		defer close(started.lines)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			started.lines <- lines.Text()
		}
	}()
	return started
}

func (p *program) line() string {
	p.t.Helper()
	line, ok := within(p.t, p.command.Path, p.lines)
	if !ok {
		p.t.Fatalf("%s ended", p.command.Path)
	}
	return line
}

func within[Value any](t *testing.T, what string, from <-chan Value) (Value, bool) {
	t.Helper()
	select {
	case value, ok := <-from:
		return value, ok
	case <-time.After(stepTimeout):
		t.Fatalf("%s took too long", what)
	}
	panic("not reached")
}

// realServer is the harness with what it told.
type realServer struct {
	*program
	made      map[string]string
	frontdesk *Frontdesk
}

func serve(t *testing.T) *realServer {
	t.Helper()
	bin := os.Getenv("FRONTDESK_BIN")
	if bin == "" {
		t.Skip("FRONTDESK_BIN is not set")
	}
	harness, err := filepath.Abs("../harness/server.mjs")
	if err != nil {
		t.Fatal(err)
	}
	server := &realServer{program: run(t, nil, "node", harness, bin)}
	t.Cleanup(func() {
		_ = server.in.Close()
		if err := server.command.Wait(); err != nil {
			t.Errorf("the server did not stop well: %v", err)
		}
	})
	if err := json.Unmarshal([]byte(server.line()), &server.made); err != nil {
		t.Fatal(err)
	}
	if server.frontdesk, err = New(server.made["url"], Options{}); err != nil {
		t.Fatal(err)
	}
	return server
}

func (s *realServer) kill() {
	s.t.Helper()
	if _, err := fmt.Fprintln(s.in, "kill"); err != nil {
		s.t.Fatal(err)
	}
	equal(s.t, s.line(), `{"event":"restarted"}`, "restart")
}

// textOf is what a text may hold: quotes, other scripts, characters beyond 16 bits, controls, nothing but space.
func textOf(number int) string {
	parts := []string{"你好", `"quoted" \ back`, "🙂\u200d↔️👋", "line\nline\ttab", "e\u0301\u0000\u2028", "   ", "<b>&amp;"}
	return fmt.Sprintf("%d: %s %s", number, parts[number%len(parts)], strings.Repeat("x", number))
}

// talk is a visitor who talks to an example, and all that the visitor held.
type talk struct {
	*Visitor
	server  *realServer
	entries chan Message
	drafts  chan string
	answers <-chan Message
}

// withExample runs an example, lets a visitor talk to it, and ends both.
func withExample(t *testing.T, name string, speak func(*talk)) {
	server := serve(t)
	bin := filepath.Join(t.TempDir(), name)
	if out, err := exec.Command("go", "build", "-o", bin, "./examples/"+name).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	made := server.made
	env := []string{"FRONTDESK_URL=" + made["url"], "FRONTDESK_BOT_KEY=" + made["bot_key"], "LLM_BASE_URL=" + made["llm_url"], "LLM_MODEL=echo"}
	example := run(t, env, bin)
	defer func() {
		_ = example.command.Process.Kill()
		_ = example.command.Wait()
	}()
	equal(t, example.line(), "ready", "the example")
	one := &talk{server: server, entries: make(chan Message, 10*messageCount), drafts: make(chan string, 100)}
	one.Visitor = server.frontdesk.Visitor(VisitorOptions{InboxKey: made["inbox_key"], Events: VisitorEvents{
		Entry: func(message Message) { one.entries <- message },
		Draft: func(_ Actor, _ bool, text string) {
			select {
			case one.drafts <- text:
			default:
			}
		},
	}})
	one.answers = one.Messages()
	if err := one.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	speak(one)
}

func (k *talk) next() Message {
	k.server.t.Helper()
	message, ok := within(k.server.t, "an answer", k.answers)
	if !ok {
		k.server.t.Fatal(k.Err())
	}
	return message
}

// echoed sends the texts, kills the server amid the answers, and compares.
func (k *talk) echoed() {
	t := k.server.t
	var texts, answers []string
	var sendings []*Sending
	for number := range messageCount {
		texts = append(texts, textOf(number))
		sendings = append(sendings, k.Send(texts[number]))
	}
	for len(answers) < messageCount {
		answers = append(answers, k.next().Text)
		if len(answers) == 60 {
			k.server.kill()
		}
	}
	equal(t, answers, texts, "the answers, in order, once")
	var own []string
	last := uint64(0)
	for len(own) < messageCount {
		message, _ := within(t, "the own messages", k.entries)
		if message.Seq <= last {
			t.Fatalf("%d came after %d", message.Seq, last)
		}
		last = message.Seq
		if !message.Own {
			continue
		}
		ack, err := sendings[len(own)].Wait(context.Background())
		if err != nil || ack.Seq != message.Seq {
			t.Fatalf("acks and entries disagree: %d %d %v", ack.Seq, message.Seq, err)
		}
		own = append(own, message.Text)
	}
	equal(t, own, texts, "the own messages, in order, once")
}

func TestR28TheEchoBot200MessagesEachWayOverAKill(t *testing.T) {
	withExample(t, "echo-bot", (*talk).echoed)
}

func TestR28TheBotWithALanguageModel200MessagesEachWayOverAKill(t *testing.T) {
	withExample(t, "llm-bot", func(one *talk) {
		one.echoed()
		if draft, _ := within(t, "a draft", one.drafts); draft == "" {
			t.Error("answers do not grow")
		}
	})
}

func TestR28TheOrderBot200MessagesEachWayOverAKill(t *testing.T) {
	withExample(t, "order-bot", func(one *talk) {
		states := []string{"is being packed", "is on its way", "has arrived"}
		for number := range messageCount / 2 {
			if number == 30 {
				one.server.kill()
			}
			one.Send(textOf(number))
			form := one.next()
			if form.Kind != KindForm || form.Fields[0].ID != "order" {
				t.Fatalf("%+v", form)
			}
			order := fmt.Sprint("A-", 1000+number)
			sending := one.Submit(form, map[string]string{"order": order})
			answer := one.next()
			equal(t, answer.Text, fmt.Sprintf("Order %s %s.", order, states[(1000+number)%3]), "the status")
			ack, err := sending.Wait(context.Background())
			if err != nil || answer.QuoteSeq != ack.Seq {
				t.Fatal(answer.QuoteSeq, ack.Seq, err)
			}
		}
	})
}

func TestTheOrderBotHandsOverToPeopleWhomItCannotHelp(t *testing.T) {
	queued := make(chan struct{}, 10)
	withExample(t, "order-bot", func(one *talk) {
		one.loop.do(func() {
			one.side.who.Events.Session = func(session wire.Session) {
				if session.Status == wire.SessionStatusQueued {
					queued <- struct{}{}
				}
			}
		})
		one.Send("hello")
		one.Submit(one.next(), map[string]string{"order": "ABC"})
		choices := one.next()
		for len(queued) > 0 { // it was queued before the bot had it
			<-queued
		}
		one.Choose(choices, "person")
		within(t, "the hand over", queued)
	})
}

func TestASecondRunGoesOnWhereTheFirstOneWas(t *testing.T) {
	server := serve(t)
	ctx := context.Background()
	first := server.frontdesk.Visitor(VisitorOptions{InboxKey: server.made["inbox_key"]})
	if err := first.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := first.Send("one").Wait(ctx); err != nil {
		t.Fatal(err)
	}
	position := first.Position()
	first.Close()
	address := fmt.Sprintf("%s/api/v1/conversations/%s/messages", server.made["url"], first.ConversationID())
	request, err := http.NewRequest(http.MethodPost, address, bytes.NewReader([]byte(`{"text":"meanwhile"}`)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+server.made["api_key"])
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", "6f1e0f9c-7a55-4c6b-9c59-0f1f3f1d2a10")
	answer, err := http.DefaultClient.Do(request)
	if err != nil || answer.StatusCode != http.StatusCreated {
		t.Fatal(answer, err)
	}
	second := server.frontdesk.Visitor(VisitorOptions{InboxKey: server.made["inbox_key"], Token: first.Token(), Position: position})
	messages := second.Messages()
	if err := second.Start(ctx); err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	message, _ := within(t, "the answer", messages)
	equal(t, message.Text, "meanwhile", "the answer")
}

func TestErrorsOfTheRealServerHaveTheirCodes(t *testing.T) {
	server := serve(t)
	ctx := context.Background()
	nobody := server.frontdesk.Visitor(VisitorOptions{InboxKey: "nobody"})
	equal(t, CodeOf(nobody.Start(ctx)), "inbox.unknown", "code")
	equal(t, CodeOf(server.frontdesk.Bot(BotOptions{APIKey: "fd_wrong"}).Run(ctx)), "auth.required", "code")
	visitor := server.frontdesk.Visitor(VisitorOptions{InboxKey: server.made["inbox_key"]})
	if err := visitor.Start(ctx); err != nil {
		t.Fatal(err)
	}
	defer visitor.Close()
	_, err := visitor.Send(strings.Repeat("x", 70_000)).Wait(ctx)
	equal(t, CodeOf(err), "message.too_large", "code")
	equal(t, CodeOf(visitor.Rate(ctx, 5, "")), "conversation.unknown", "code")
	// The server would stop a client that sent half a character, or a megabyte.
	if ack, err := visitor.Send("half \xf0\x9f").Wait(ctx); err != nil || ack.Seq != 1 {
		t.Error(ack, err)
	}
	_, err = visitor.Send(strings.Repeat("x", 2_000_000)).Wait(ctx)
	equal(t, CodeOf(err), "frame.too_large", "code")
	equal(t, visitor.State(), StateLive, "state")
}
