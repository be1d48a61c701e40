package frontdesk

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"frontdesk.example/sdk/wire"
)

func empty() wire.Welcome {
	return wire.Welcome{Opened: []wire.OpenedFrame{{Position: at(0)}}, Self: &wire.Actor{Kind: wire.ActorKindVisitor, ID: "v1"}}
}

type set struct {
	*fakeServer
	visitor *Visitor
	got     []uint64
	seen    []Message
	reloads []string
	states  []State
	hello   *wire.Hello
}

func live(t *testing.T, options Options) *set {
	t.Helper()
	s := &set{fakeServer: newServer(t)}
	s.visitor = s.frontdesk(options).Visitor(VisitorOptions{InboxKey: "KEY", Events: VisitorEvents{
		Entry: func(message Message) {
			if !message.Own {
				s.got = append(s.got, message.Seq)
				s.seen = append(s.seen, message)
			}
		},
		Reload: func(messages []Message, missed bool) {
			s.reloads = append(s.reloads, strconv.Itoa(len(messages))+strconv.FormatBool(missed))
		},
		State: func(state State, _ error) { s.states = append(s.states, state) },
	}})
	s.visitor.loop.do(s.visitor.link.start)
	s.hello = s.welcome(empty())
	equal(t, s.visitor.State(), StateLive, "state")
	return s
}

func (s *set) ack(send *wire.Send, seq uint64) {
	s.socket().push(&wire.ServerFrame{Ack: &wire.Ack{ClientMsgID: send.ClientMsgID, Position: at(seq), ID: "e"}})
}

func TestATicketThenAHelloWithIt(t *testing.T) {
	s := live(t, Options{})
	equal(t, s.requests[0].URL.String(), "http://desk.example/base/api/v1/tickets", "address")
	equal(t, s.bodies[0]["inbox_key"], any("KEY"), "inbox")
	equal(t, s.socket().url, "ws://desk.example/base/ws/v1", "socket")
	if s.hello.Ticket != "t1" || !s.hello.CanRejoin || s.visitor.Token() != "v1.token" || s.visitor.ConversationID() != "c1" {
		t.Errorf("%+v", s.hello)
	}
}

func TestAMessageWaitsForItsAckAndGoesAgainWithItsIDAfterADrop(t *testing.T) {
	s := live(t, Options{})
	one, two := s.visitor.Send("one"), s.visitor.Send("two")
	first := sends(s.socket())
	if len(first) != 1 || first[0].Content.Text.Body != "one" {
		t.Fatal("the second did not wait for the ack of the first")
	}
	s.socket().end(1006)
	s.clock.advance(500 * time.Millisecond)
	hello := s.welcome(empty())
	equal(t, hello.ResumeToken, "r1", "resume token")
	equal(t, hello.Held, []wire.Held{{Position: at(0)}}, "held")
	again := sends(s.socket())
	equal(t, again[0].ClientMsgID, first[0].ClientMsgID, "id")
	s.ack(again[0], 1)
	if ack, err := settled(t, one); err != nil || ack.Seq != 1 {
		t.Error(ack, err)
	}
	// The second was stored and its ack lost: the entry says so.
	second := sends(s.socket())
	if string(second[0].ClientMsgID) <= string(first[0].ClientMsgID) {
		t.Error("ids do not rise")
	}
	own := said(2, "two", "s1")
	own.Entry.ClientMsgID = second[0].ClientMsgID
	s.socket().push(pushed("", own))
	if ack, err := settled(t, two); err != nil || ack.Seq != 2 || s.visitor.Pending() != 0 {
		t.Error(ack, err)
	}
}

func TestARefusedMessageIsNotPassedByTheNextOrIsGivenUp(t *testing.T) {
	s := live(t, Options{})
	one := s.visitor.Send("one")
	s.visitor.Send("two")
	first := sends(s.socket())[0]
	retry := uint32(700)
	s.socket().push(&wire.ServerFrame{Refusal: &wire.Refusal{Code: "rate_limited", RetryAfterMs: &retry, ClientMsgID: first.ClientMsgID}})
	s.clock.advance(699 * time.Millisecond)
	equal(t, len(sends(s.socket())), 0, "sent too early")
	s.clock.advance(time.Millisecond)
	equal(t, sends(s.socket())[0].ClientMsgID, first.ClientMsgID, "id")
	s.socket().push(&wire.ServerFrame{Refusal: &wire.Refusal{Code: "message.refused", ClientMsgID: first.ClientMsgID}})
	_, err := settled(t, one)
	equal(t, CodeOf(err), "message.refused", "code")
	equal(t, sends(s.socket())[0].Content.Text.Body, "two", "next")
}

func TestTheOutboxIsBoundedAndAMessageWithoutAnAckInTimeIsGivenUp(t *testing.T) {
	server := newServer(t)
	visitor := server.frontdesk(Options{OutboxMax: 2, SendTimeout: time.Second}).Visitor(VisitorOptions{InboxKey: "KEY"})
	kept := []*Sending{visitor.Send("a"), visitor.Send("b")}
	_, err := settled(t, visitor.Send("c"))
	equal(t, CodeOf(err), CodeOutboxFull, "code")
	server.clock.advance(time.Second)
	for _, one := range kept {
		_, err := settled(t, one)
		equal(t, CodeOf(err), CodeTimeout, "code")
	}
	equal(t, visitor.Pending(), 0, "pending")
}

type store struct {
	kept []Pending
	log  []string
	// What its methods fail with.
	broken map[string]error
}

func (s *store) Load() ([]Pending, error) { return s.kept, s.broken["load"] }

func (s *store) Put(message Pending) error {
	s.log = append(s.log, message.Content.Text.Body)
	return s.broken["put"]
}

func (s *store) Remove(id []byte) error {
	s.log = append(s.log, string(id))
	return s.broken["remove"]
}

func TestWhatAStoreKeptIsSentFirstWithItsID(t *testing.T) {
	kept := &store{kept: []Pending{{ClientMsgID: []byte("0123456789abcdef"), Content: text("from before")}}}
	s := live(t, Options{Store: kept})
	s.visitor.Send("new")
	first := sends(s.socket())[0]
	equal(t, string(first.ClientMsgID)+first.Content.Text.Body, "0123456789abcdeffrom before", "first")
	s.ack(first, 1)
	equal(t, kept.log, []string{"new", "0123456789abcdef"}, "store")
}

func TestCloseCodesAResumeTokenANewTicketAtOnceAStop(t *testing.T) {
	s := live(t, Options{})
	s.socket().end(3000)
	s.clock.advance(500 * time.Millisecond)
	hellos, _ := take(s.socket(), func(frame *wire.ClientFrame) *wire.Hello { return frame.Hello })
	equal(t, hellos[0].ResumeToken, "r1", "resume token")
	s.socket().end(3400)
	equal(t, len(s.requests), 2, "a token the server knows no more costs no wait")
	equal(t, s.welcome(empty()).Ticket, "t2", "ticket")
	waiting := s.visitor.Send("never")
	s.socket().end(3500)
	for _, one := range []*Sending{waiting, s.visitor.Send("later")} {
		_, err := settled(t, one)
		equal(t, CodeOf(err), CodeStopped, "code")
	}
	s.clock.advance(2 * time.Minute)
	equal(t, len(s.sockets), 3, "sockets")
	equal(t, s.states[len(s.states)-1], StateStopped, "state")
	equal(t, CodeOf(s.visitor.Err()), CodeStopped, "why")
}

func TestALiveConnectionThatNeedsANewTicketWaitsARandomTimeForIt(t *testing.T) {
	s := live(t, Options{})
	s.socket().end(3403)
	equal(t, s.visitor.State(), StateWaiting, "state")
	equal(t, len(s.requests), 1, "requests")
	s.clock.advance(500 * time.Millisecond)
	equal(t, s.welcome(empty()).Ticket, "t2", "ticket")
}

func TestBeforeTheWelcomeACloseDropsTheResumeToken(t *testing.T) {
	s := live(t, Options{})
	s.socket().end(1006)
	s.clock.advance(500 * time.Millisecond)
	hellos, _ := take(s.socket(), func(frame *wire.ClientFrame) *wire.Hello { return frame.Hello })
	equal(t, hellos[0].ResumeToken, "r1", "resume token")
	s.socket().end(1011)
	s.clock.advance(time.Second)
	equal(t, s.welcome(empty()).Ticket, "t2", "ticket")
}

func TestAServerThatIsTooBusyIsWaitedForAsLongAsItSaysAndARandomTime(t *testing.T) {
	server := newServer(t)
	server.answer = func(*http.Request) any { return httpAnswer{503, "3", map[string]string{"code": "overloaded"}} }
	visitor := server.frontdesk(Options{}).Visitor(VisitorOptions{InboxKey: "KEY"})
	visitor.loop.do(visitor.link.start)
	server.settle()
	server.answer = nil
	server.refuseDial = &Error{Code: CodeConnectionLost, RetryAfter: 2 * time.Second}
	server.clock.advance(3249 * time.Millisecond)
	equal(t, len(server.requests), 1, "too early")
	server.clock.advance(time.Millisecond)
	equal(t, len(server.requests), 2, "in time")
	server.clock.advance(2499 * time.Millisecond)
	equal(t, len(server.sockets), 0, "too early")
	server.clock.advance(time.Millisecond)
	server.welcome(empty())
	// Nothing is left of the attempts that failed.
	for range 4 {
		server.clock.advance(20 * time.Second)
		server.socket().push(&wire.ServerFrame{Ping: &wire.Ping{}})
	}
	equal(t, visitor.State(), StateLive, "state")
}

func TestARequestThatCanOnlyFailAgainStopsTheClient(t *testing.T) {
	server := newServer(t)
	server.answer = func(*http.Request) any { return httpAnswer{404, "", map[string]string{"code": "inbox.unknown"}} }
	visitor := server.frontdesk(Options{}).Visitor(VisitorOptions{InboxKey: "KEY"})
	visitor.loop.do(visitor.link.start)
	server.settle()
	equal(t, CodeOf(visitor.Start(context.Background())), "inbox.unknown", "code")
}

func TestGoAwaySaysWhenToComeBack(t *testing.T) {
	s := live(t, Options{})
	s.socket().push(&wire.ServerFrame{GoAway: &wire.GoAway{ReconnectAfterMs: 1500}})
	s.socket().end(3000)
	s.clock.advance(1749 * time.Millisecond)
	equal(t, len(s.sockets), 1, "too early")
	s.clock.advance(time.Millisecond)
	equal(t, len(s.sockets), 2, "in time")
}

func TestRejoinHelloAgainOnTheSameSocketThenWhatHadNoAck(t *testing.T) {
	s := live(t, Options{})
	s.visitor.Send("one")
	first := sends(s.socket())[0]
	s.socket().push(&wire.ServerFrame{Rejoin: &wire.Rejoin{AfterMs: 350}})
	s.visitor.Send("two")
	s.clock.advance(349 * time.Millisecond)
	equal(t, len(s.socket().sent), 0, "nothing is said meanwhile")
	s.clock.advance(time.Millisecond)
	hello := s.welcome(empty())
	if hello.ResumeToken != "r1" || hello.Ticket != "" || len(s.sockets) != 1 {
		t.Errorf("%+v", hello)
	}
	equal(t, sends(s.socket())[0].ClientMsgID, first.ClientMsgID, "id")
}

func TestPingsAreAnsweredAndSilenceIsAskedAboutThenEndsTheConnection(t *testing.T) {
	s := live(t, Options{})
	socket := s.socket()
	socket.push(&wire.ServerFrame{Ping: &wire.Ping{}})
	pongs, _ := take(socket, func(frame *wire.ClientFrame) *wire.Pong { return frame.Pong })
	equal(t, len(pongs), 1, "pongs")
	s.clock.advance(25 * time.Second)
	pings, _ := take(socket, func(frame *wire.ClientFrame) *wire.Ping { return frame.Ping })
	equal(t, len(pings), 1, "pings")
	socket.push(&wire.ServerFrame{Pong: &wire.Pong{}})
	s.clock.advance(34 * time.Second)
	equal(t, socket.closed, 0, "closed too early")
	s.clock.advance(3500 * time.Millisecond)
	equal(t, socket.closed, 3009, "closed")
}

func TestEvery40sThePositionIsChecked(t *testing.T) {
	s := live(t, Options{})
	s.socket().push(pushed("", entry(1, "a")))
	for range 3 {
		for range 2 {
			s.clock.advance(20 * time.Second)
			s.socket().push(&wire.ServerFrame{Ping: &wire.Ping{}})
		}
		asked, refs := syncs(s.socket())
		if len(asked) != 1 {
			t.Fatalf("%d checks", len(asked))
		}
		equal(t, asked[0].Held, []wire.Held{{Position: at(1)}}, "held")
		s.socket().push(&wire.ServerFrame{Ref: refs[0], Done: &wire.Done{}})
	}
}

func TestAHoleIsAskedAboutRepeatsAreDroppedOrderIsKept(t *testing.T) {
	s := live(t, Options{})
	s.socket().push(pushed("", entry(1, "a"), entry(1, "a")), pushed("", entry(4, "d")))
	s.clock.advance(500 * time.Millisecond)
	asked, _ := syncs(s.socket())
	equal(t, asked[0].Held, []wire.Held{{Position: at(1)}}, "held")
	s.socket().push(pushed("", entry(2, "b"), entry(3, "c"), entry(4, "d")))
	equal(t, s.got, []uint64{1, 2, 3, 4}, "given")
}

func TestTooMuchMissedIsReadOverHTTPEachOnce(t *testing.T) {
	s := live(t, Options{})
	s.socket().push(pushed("", entry(1, "1")))
	s.answer = func(request *http.Request) any {
		if !strings.HasSuffix(request.URL.Path, "/entries") {
			return nil
		}
		equal(t, request.Header.Get("Authorization"), "Visitor v1.token", "authorization")
		after, _ := strconv.ParseUint(request.URL.Query().Get("after"), 10, 64)
		return map[string]any{"epoch": "10312465081116569670", "items": []wire.TimelineItem{entry(after+1, "x"), entry(after+2, "y")}}
	}
	s.socket().end(1006)
	s.clock.advance(500 * time.Millisecond)
	welcome := empty()
	welcome.Opened = []wire.OpenedFrame{{Position: at(7), Items: []wire.TimelineItem{entry(6, "6"), entry(7, "7")}, MoreBefore: true}}
	s.welcome(welcome)
	equal(t, s.got, []uint64{1, 2, 3, 4, 5, 6, 7}, "given")
	equal(t, s.reloads, []string{"0false", "2false"}, "reloads")
}

func TestAnotherEpochDropsEverythingHeldAndTells(t *testing.T) {
	s := live(t, Options{})
	other := pushed("", entry(2, "b"))
	other.Entries.Epoch = 77
	s.socket().push(pushed("", entry(1, "a")), other)
	s.clock.advance(500 * time.Millisecond)
	welcome := empty()
	welcome.Opened = []wire.OpenedFrame{{Position: &wire.Position{Epoch: 77, Seq: 1}, Items: []wire.TimelineItem{entry(1, "restored")}}}
	equal(t, len(s.welcome(welcome).Held), 0, "held")
	equal(t, s.reloads, []string{"0false", "1true"}, "reloads")
	equal(t, s.visitor.Position(), &wire.Position{Epoch: 77, Seq: 1}, "position")
}

func TestAReaderThatIsFarBehindIsBoundedAndMissesNothing(t *testing.T) {
	s := live(t, Options{InboxMax: 4})
	messages := s.visitor.Messages()
	var items []wire.TimelineItem
	for seq := range uint64(10) {
		items = append(items, entry(seq+1, "x"))
	}
	held := func() (seq uint64) {
		s.visitor.loop.do(func() { seq = s.visitor.side.thread.held })
		return seq
	}
	s.socket().push(pushed("", items...))
	if held := held(); held < 4 || held > 5 {
		t.Errorf("%d are held with room for 4", held)
	}
	for want := range uint64(10) {
		// The one that is given now may still be on its way out.
		if given := s.visitor.Position().Seq; given > want+1 {
			t.Errorf("%d were given after %d were read", given, want)
		}
		equal(t, (<-messages).Seq, want+1, "given")
		var asked []*wire.Sync
		var refs []uint32
		// The inbox moves on beside the test; what it asks for is there once the loop is free.
		for held() == want+1 && want < 9 && len(asked) == 0 {
			s.visitor.loop.do(func() { asked, refs = syncs(s.socket()) })
		}
		for index, sync := range asked {
			s.socket().push(pushed("", items[sync.Held[0].Position.Seq:]...), &wire.ServerFrame{Ref: refs[index], Done: &wire.Done{}})
		}
	}
	s.visitor.Close()
	if _, more := <-messages; more {
		t.Error("messages after the end")
	}
}

func TestChoicesAndFormsAreAnsweredAsTheProtocolWantsIt(t *testing.T) {
	s := live(t, Options{})
	choices, form := entry(1, ""), entry(2, "")
	choices.Entry.Content = &wire.Content{Choices: &wire.Choices{Body: "Which?", Choices: []Choice{{ID: "a", Label: "Apples"}}}}
	form.Entry.Content = &wire.Content{Form: &wire.Form{Title: "Who?", Fields: []Field{{ID: "n", Label: "Name"}, {ID: "x", Label: "X"}}}}
	s.socket().push(pushed("", choices, form))
	s.visitor.Choose(s.seen[0], "a")
	picked := sends(s.socket())[0]
	equal(t, picked.Content, &wire.Content{Text: &wire.Text{Body: "Apples"}, Choice: "a", QuoteSeq: 1}, "choice")
	s.ack(picked, 3)
	s.visitor.Submit(s.seen[1], map[string]string{"n": "Li Na"})
	reply := &wire.FormReply{Values: []wire.FieldValue{{ID: "n", Label: "Name", Value: "Li Na"}}}
	equal(t, sends(s.socket())[0].Content, &wire.Content{FormReply: reply, QuoteSeq: 2}, "form")
	_, err := settled(t, s.visitor.Choose(s.seen[0], "b"))
	equal(t, CodeOf(err), "request.invalid", "code")
}

func TestCloseEndsEverythingAtOnce(t *testing.T) {
	s := live(t, Options{})
	one := s.visitor.Send("one")
	s.visitor.Close()
	equal(t, s.socket().closed, 1000, "close code")
	for _, sending := range []*Sending{one, s.visitor.Send("two")} {
		_, err := settled(t, sending)
		equal(t, CodeOf(err), CodeClosed, "code")
	}
	equal(t, len(s.clock.timers), 0, "timers left")
}

func TestAnAddressThatIsNoneIsRefused(t *testing.T) {
	for _, address := range []string{"", "desk.example", "ftp://desk.example", "http://"} {
		if _, err := New(address, Options{}); err == nil {
			t.Errorf("%q was taken", address)
		}
	}
}

func TestWhatNoServerTakesFailsAtOnceAndIsNotInTheWayOfTheNextMessage(t *testing.T) {
	s := live(t, Options{})
	_, err := settled(t, s.visitor.Send(strings.Repeat("x", 1_100_000)))
	equal(t, CodeOf(err), "frame.too_large", "code")
	equal(t, s.visitor.Pending(), 0, "pending")
	s.visitor.Send("cut in the middle of \xf0\x9f", Quote(7))
	sent := sends(s.socket())[0].Content
	equal(t, sent.Text.Body, "cut in the middle of \ufffd\ufffd", "text")
	equal(t, sent.QuoteSeq, 7, "quote")
}

func TestAStoreThatFailsTheMessageFailsOrTheErrorIsTold(t *testing.T) {
	full, broken := errors.New("no room"), errors.New("no disk")
	kept := &store{broken: map[string]error{"put": full, "remove": broken}}
	s := live(t, Options{Store: kept})
	var told []error
	s.visitor.onError = func(err error) { told = append(told, err) }
	_, err := settled(t, s.visitor.Send("a"))
	if !errors.Is(err, full) || s.visitor.Pending() != 0 {
		t.Error(err)
	}
	delete(kept.broken, "put")
	sending := s.visitor.Send("b")
	s.ack(sends(s.socket())[0], 1)
	if ack, err := settled(t, sending); err != nil || ack.Seq != 1 {
		t.Error(ack, err)
	}
	if len(told) != 1 || !errors.Is(told[0], broken) {
		t.Error(told)
	}
	unread := newServer(t).frontdesk(Options{Store: &store{broken: map[string]error{"load": broken}}}).Visitor(VisitorOptions{})
	for _, err := range []error{unread.Start(context.Background()), unread.Run(context.Background())} {
		if !errors.Is(err, broken) {
			t.Error(err)
		}
	}
}

func TestUnsentTextGoesOnlyToAnInboxThatWantsToSeeIt(t *testing.T) {
	s := live(t, Options{})
	drafts := func() []*wire.Draft {
		found, _ := take(s.socket(), func(frame *wire.ClientFrame) *wire.Draft { return frame.Draft })
		return found
	}
	s.visitor.Typing(true, "I would li")
	equal(t, drafts(), []*wire.Draft{{Typing: true}}, "without text")
	s.socket().end(1006)
	s.clock.advance(500 * time.Millisecond)
	welcome := empty()
	welcome.Drafts = true
	s.welcome(welcome)
	s.visitor.Typing(true, "I would like")
	equal(t, drafts(), []*wire.Draft{{Typing: true, Text: "I would like"}}, "with text")
	// Neither text nor typing is wanted.
	s.answer = func(*http.Request) any {
		return map[string]any{"ticket": "t2", "visitor_token": "v1.token", "conversation_id": "c1", "inbox": map[string]any{"typing": false}}
	}
	s.socket().end(3400)
	s.clock.advance(time.Second)
	s.welcome(empty())
	s.visitor.Typing(true, "")
	equal(t, len(drafts()), 0, "drafts")
}

func TestWhoCannotConnectIsToldWhy(t *testing.T) {
	server := newServer(t)
	server.refuseDial = fail(CodeConnectionLost, "refused by 127.0.0.1")
	proof := errors.New("no session")
	var fails bool
	var told, waited []error
	visitor := server.frontdesk(Options{SendTimeout: 10 * time.Millisecond}).Visitor(VisitorOptions{
		IdentityToken: func(context.Context) (string, error) {
			if fails {
				return "", proof
			}
			return "jwt", nil
		},
		Events: VisitorEvents{
			Error: func(err error) { told = append(told, err) },
			State: func(state State, err error) {
				if state == StateWaiting {
					waited = append(waited, err)
				}
			},
		},
	})
	visitor.loop.do(visitor.link.start)
	server.settle()
	err := visitor.EndSession(context.Background())
	if CodeOf(err) != CodeTimeout || !strings.Contains(err.Error(), "not connected in time: frontdesk: connection.lost: refused by 127.0.0.1") {
		t.Error(err)
	}
	if len(waited) != 1 || CodeOf(waited[0]) != CodeConnectionLost {
		t.Error(waited)
	}
	fails = true
	server.clock.advance(time.Second)
	if len(told) == 0 || !errors.Is(told[0], proof) {
		t.Error(told)
	}
}

func TestRunServesUntilItsContextEndsOrTheServerStopsIt(t *testing.T) {
	s := live(t, Options{})
	ended := make(chan error, 1)
	go func() { ended <- s.visitor.Run(context.Background()) }()
	s.socket().end(3500)
	equal(t, CodeOf(<-ended), CodeStopped, "code")
	// Not connected yet: it goes on trying, and an end that was asked for is no error.
	other := newServer(t).frontdesk(Options{}).Visitor(VisitorOptions{})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	equal(t, other.Run(ctx), nil, "error")
	equal(t, other.State(), StateClosed, "state")
}

func TestAWaitThatNoClockCanCountIsCut(t *testing.T) {
	server := newServer(t)
	server.answer = func(*http.Request) any { return httpAnswer{503, "1e300", map[string]any{}} }
	visitor := server.frontdesk(Options{}).Visitor(VisitorOptions{})
	visitor.loop.do(visitor.link.start)
	server.settle()
	server.answer = nil
	server.clock.advance(time.Hour + 500*time.Millisecond)
	server.welcome(empty())
}

func TestAnErrorThatNobodyListensToIsLogged(t *testing.T) {
	var logged bytes.Buffer
	before := log.Writer()
	log.SetOutput(&logged)
	defer log.SetOutput(before)
	s := live(t, Options{})
	s.visitor.loop.do(func() { s.visitor.failed(errors.New("nobody listens")) })
	s.settle()
	if !strings.Contains(logged.String(), "nobody listens") {
		t.Error(logged.String())
	}
}

func TestTheSocketIsOpenedAsTheHTTPClientReachesTheServer(t *testing.T) {
	upgrader := websocket.Upgrader{Subprotocols: []string{subprotocol}}
	server := httptest.NewTLSServer(http.HandlerFunc(func(out http.ResponseWriter, request *http.Request) {
		if request.URL.Path != "/ws/v1" {
			_, _ = out.Write([]byte(`{"ticket":"t1","visitor_token":"v1","conversation_id":"c1","inbox":{}}`))
			return
		}
		connection, err := upgrader.Upgrade(out, request, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = connection.Close() }()
		welcome := empty()
		text, _ := wire.Encode(&wire.ServerFrame{Ref: 1, Welcome: &welcome})
		_ = connection.WriteMessage(websocket.TextMessage, text)
		_, _, _ = connection.ReadMessage()
		_, _, _ = connection.ReadMessage()
	}))
	defer server.Close()
	made, err := New(server.URL, Options{HTTPClient: server.Client()})
	if err != nil {
		t.Fatal(err)
	}
	visitor := made.Visitor(VisitorOptions{})
	defer visitor.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := visitor.Start(ctx); err != nil {
		t.Error(err, visitor.cause(ctx))
	}
}

func TestCloseEndsARequestThatIsOnItsWay(t *testing.T) {
	asked, ended := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		// Only who has read the body is told that the client has gone.
		_, _ = io.Copy(io.Discard, request.Body)
		close(asked)
		<-request.Context().Done()
		close(ended)
	}))
	defer server.Close()
	made, err := New(server.URL, Options{})
	if err != nil {
		t.Fatal(err)
	}
	visitor := made.Bot(BotOptions{APIKey: "fd_key"})
	visitor.loop.do(visitor.link.start)
	<-asked
	visitor.Close()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Error("the request goes on")
		server.CloseClientConnections()
	}
}
