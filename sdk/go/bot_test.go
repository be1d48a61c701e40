package frontdesk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"frontdesk.example/sdk/wire"
)

var me = &wire.Actor{Kind: wire.ActorKindBot, ID: "key1", Name: "Echo"}

func session(number, version uint32, status wire.SessionStatus) *wire.Session {
	return &wire.Session{
		ID: fmt.Sprint("s", number), Number: number, Version: version, Status: status,
		Owner: &wire.Participant{Kind: wire.ParticipantKindBot, ID: "key1"},
	}
}

func mine(number, version uint32) *wire.Session {
	return session(number, version, wire.SessionStatusAssigned)
}

func row(conversation string, seq uint64, of *wire.Session) *wire.Row {
	return &wire.Row{Conversation: conversation, Visitor: "v1", VisitorName: "Li", Language: "zh-CN", Position: at(seq), Session: of}
}

func fed(number uint64, row *wire.Row) *wire.ServerFrame {
	return &wire.ServerFrame{Feed: &wire.FeedChanges{Changes: []wire.FeedChange{{Number: number, Row: row}}}}
}

func welcomeBot(feed wire.FeedPosition, recovered bool) wire.Welcome {
	return wire.Welcome{Self: me, Feed: &feed, FeedRecovered: recovered}
}

type botSet struct {
	*fakeServer
	bot    *Bot
	got    []string
	events []string
	errors []string
	handle Handler
}

func liveBot(t *testing.T, options Options, who BotOptions, rows ...*wire.Row) *botSet {
	t.Helper()
	s := &botSet{fakeServer: newServer(t)}
	s.answer = func(request *http.Request) any {
		if request.URL.Query().Get("view") == "mine" {
			return map[string]any{"rows": rows}
		}
		return nil
	}
	s.handle = func(_ context.Context, conversation *Conversation, message Message) error {
		s.got = append(s.got, fmt.Sprintf("%s:%d", conversation.ID(), message.Seq))
		return nil
	}
	who.APIKey = "fd_key"
	who.OnMessage = func(ctx context.Context, conversation *Conversation, message Message) error {
		return s.handle(ctx, conversation, message)
	}
	who.Events = BotEvents{
		Given:    func(conversation *Conversation) { s.events = append(s.events, "given "+conversation.ID()) },
		Released: func(conversation *Conversation) { s.events = append(s.events, "released "+conversation.ID()) },
		Error:    func(err error) { s.errors = append(s.errors, err.Error()) },
	}
	s.bot = s.frontdesk(options).Bot(who)
	s.bot.loop.do(s.bot.link.start)
	s.welcome(welcomeBot(wire.FeedPosition{Epoch: 7, Number: 12}, false))
	equal(t, s.bot.State(), StateLive, "state")
	return s
}

// give gives the bot a session with these items.
func (s *botSet) give(conversation string, items ...wire.TimelineItem) {
	s.t.Helper()
	s.socket().push(fed(13, row(conversation, uint64(len(items)), mine(1, 2))))
	asked, refs := opens(s.socket())
	if len(asked) != 1 || asked[0].Conversation != conversation {
		s.t.Fatalf("%d opens", len(asked))
	}
	opened := &wire.OpenedFrame{Conversation: conversation, Items: items, Position: at(uint64(len(items))), Session: mine(1, 2)}
	s.socket().push(&wire.ServerFrame{Ref: refs[0], Opened: opened})
}

// again: the connection goes and comes back.
func (s *botSet) again(feed wire.FeedPosition, recovered bool) *wire.Hello {
	s.socket().end(3000)
	s.clock.advance(500 * time.Millisecond)
	return s.welcome(welcomeBot(feed, recovered))
}

func TestATicketByTheKeyAndTheListSaysWhatItHasAlready(t *testing.T) {
	s := liveBot(t, Options{}, BotOptions{}, row("c1", 1, mine(1, 2)))
	for _, request := range s.requests {
		equal(t, request.Header.Get("Authorization"), "Bearer fd_key", "authorization")
	}
	equal(t, s.bodies[0], map[string]any{"kind": "agent"}, "ticket")
	asked, _ := opens(s.socket())
	equal(t, asked[0].Conversation, "c1", "opened")
}

func TestGivenASessionTheBotAnswersWhatNobodyHasAnswered(t *testing.T) {
	s := liveBot(t, Options{}, BotOptions{})
	s.give("c1", said(1, "old", "s0"), said(2, "asked", "s1"), entry(3, "answered"), said(4, "new", "s1"), said(5, "newer", "s1"))
	equal(t, s.got, []string{"c1:4", "c1:5"}, "given")
	equal(t, s.events, []string{"given c1"}, "events")
	s.socket().push(pushed("c1", said(6, "more", "s1")))
	equal(t, s.got[2:], []string{"c1:6"}, "given")
	conversation := s.bot.Conversation("c1")
	if conversation.Language() != "zh-CN" || !conversation.Owned() || len(s.bot.Conversations()) != 1 {
		t.Error("what the row says is not there")
	}
}

func TestAMessageWaitsUntilItsSessionIsTheBots(t *testing.T) {
	s := liveBot(t, Options{}, BotOptions{})
	s.give("c1", said(1, "a", "s1"))
	closed := session(1, 3, wire.SessionStatusClosed)
	s.socket().push(&wire.ServerFrame{Session: &wire.SessionUpdate{Conversation: "c1", Session: closed}})
	equal(t, s.events, []string{"given c1", "released c1"}, "events")
	left, _ := take(s.socket(), func(frame *wire.ClientFrame) *wire.Leave { return frame.Leave })
	equal(t, len(left), 1, "left")
	// Somebody else serves the second session, the bot the third: it missed both.
	s.socket().push(fed(14, row("c1", 5, mine(3, 1))))
	asked, refs := opens(s.socket())
	equal(t, asked[0].Position, at(1), "position")
	byMei := entry(3, "by Mei")
	byMei.Entry.Session = "s2"
	items := []wire.TimelineItem{said(2, "second", "s2"), byMei, said(4, "third", "s3"), said(5, "too", "s3")}
	opened := &wire.OpenedFrame{Conversation: "c1", Recovered: true, Items: items, Position: at(5), Session: mine(3, 1)}
	s.socket().push(&wire.ServerFrame{Ref: refs[0], Opened: opened})
	equal(t, s.got, []string{"c1:1", "c1:4", "c1:5"}, "given")
}

func TestAMessageOfTheNextSessionWaitsThoughTheEndOfTheLastOneWasNotToldYet(t *testing.T) {
	s := liveBot(t, Options{}, BotOptions{})
	s.give("c1", said(1, "a", "s1"))
	s.socket().push(pushed("c1", said(2, "b", "s2")))
	equal(t, s.got, []string{"c1:1"}, "given")
	s.socket().push(&wire.ServerFrame{Session: &wire.SessionUpdate{Conversation: "c1", Session: mine(2, 2)}})
	equal(t, s.got, []string{"c1:1", "c1:2"}, "given")
}

func TestALongUnansweredBeginningIsReadBackOverHTTP(t *testing.T) {
	s := liveBot(t, Options{}, BotOptions{})
	s.answer = func(request *http.Request) any {
		if !strings.HasSuffix(request.URL.Path, "/entries") {
			return nil
		}
		equal(t, request.URL.Query().Get("before"), "4", "before")
		items := []wire.TimelineItem{entry(1, "hello"), said(2, "b", "s1"), said(3, "c", "s1")}
		return map[string]any{"epoch": "10312465081116569670", "items": items}
	}
	s.socket().push(fed(13, row("c1", 5, mine(1, 2))))
	_, refs := opens(s.socket())
	items := []wire.TimelineItem{said(4, "d", "s1"), said(5, "e", "s1")}
	opened := &wire.OpenedFrame{Conversation: "c1", Items: items, MoreBefore: true, Position: at(5), Session: mine(1, 2)}
	s.socket().push(&wire.ServerFrame{Ref: refs[0], Opened: opened}, pushed("c1", said(6, "f", "s1")))
	equal(t, s.got, []string{"c1:2", "c1:3", "c1:4", "c1:5", "c1:6"}, "given")
}

func TestAfterAReconnectTheHelloNamesWhatIsHeldAndEachMessageComesOnce(t *testing.T) {
	s := liveBot(t, Options{}, BotOptions{})
	s.give("c1", said(1, "a", "s1"))
	hello := s.again(wire.FeedPosition{Epoch: 7, Number: 20}, true)
	equal(t, hello.Held, []wire.Held{{Conversation: "c1", Position: at(1)}}, "held")
	equal(t, hello.Feed, &wire.FeedPosition{Epoch: 7, Number: 13}, "feed")
	opened := &wire.OpenedFrame{Conversation: "c1", Recovered: true, Items: []wire.TimelineItem{said(2, "b", "s1")}, Position: at(2), Session: mine(1, 2)}
	s.socket().push(&wire.ServerFrame{Opened: opened}, fed(14, row("c1", 2, mine(1, 2))))
	equal(t, s.got, []string{"c1:1", "c1:2"}, "given")
	equal(t, len(s.requests), 2, "the list was read again")
}

func TestAFeedThatCannotGoOnIsReadAsAList(t *testing.T) {
	s := liveBot(t, Options{}, BotOptions{})
	s.answer = func(*http.Request) any { return map[string]any{"rows": []*wire.Row{row("c9", 1, mine(1, 2))}} }
	s.again(wire.FeedPosition{Epoch: 8, Number: 1}, false)
	asked, _ := opens(s.socket())
	equal(t, asked[0].Conversation, "c9", "opened")
}

func TestHandlersRunOneAtATimeInAConversationAndBesideEachOtherInSeveral(t *testing.T) {
	s := liveBot(t, Options{}, BotOptions{HandlersMax: 2})
	// Handlers begin when they are spawned and go on when the test says so.
	var waiting []func()
	spawn := s.bot.loop.platform.spawn
	s.bot.loop.platform.spawn = func(run func()) { waiting = append(waiting, run) }
	for _, id := range []string{"c1", "c2", "c3"} {
		s.give(id, said(1, "a", "s1"), said(2, "b", "s1"))
	}
	begun := 0
	for len(waiting) > 0 {
		run := waiting[0]
		waiting = waiting[1:]
		before := len(s.got)
		run()
		begun += len(s.got) - before
		s.bot.loop.do(func() {
			if s.bot.side.running > 2 {
				t.Errorf("%d run", s.bot.side.running)
			}
		})
	}
	s.bot.loop.platform.spawn = spawn
	equal(t, begun, 6, "handled")
	for _, id := range []string{"c1", "c2", "c3"} {
		of := slices.DeleteFunc(slices.Clone(s.got), func(line string) bool { return !strings.HasPrefix(line, id) })
		equal(t, of, []string{id + ":1", id + ":2"}, "order")
	}
	equal(t, s.got[1], "c2:1", "beside each other")
}

func TestAHandlerThatFailsOrPanicsIsToldAndTheNextMessageComes(t *testing.T) {
	s := liveBot(t, Options{}, BotOptions{})
	plain := s.handle
	s.handle = func(ctx context.Context, conversation *Conversation, message Message) error {
		switch message.Seq {
		case 1:
			return errors.New("broken")
		case 2:
			panic("worse")
		}
		return plain(ctx, conversation, message)
	}
	s.give("c1", said(1, "a", "s1"), said(2, "b", "s1"), said(3, "c", "s1"))
	if len(s.errors) != 2 || s.errors[0] != "broken" || !strings.HasPrefix(s.errors[1], "frontdesk: the handler panicked: worse\n") ||
		!strings.Contains(s.errors[1], "bot_test.go") {
		t.Errorf("%q", s.errors)
	}
	equal(t, s.got, []string{"c1:3"}, "given")
}

func TestAHandlerThatIsFarBehindIsBoundedAndMissesNothing(t *testing.T) {
	s := liveBot(t, Options{InboxMax: 4}, BotOptions{})
	var waiting []func()
	s.give("c1", said(1, "x", "s1"))
	s.bot.loop.platform.spawn = func(run func()) { waiting = append(waiting, run) }
	var items []wire.TimelineItem
	want := []string{}
	for seq := range uint64(12) {
		items = append(items, said(seq+1, "x", "s1"))
		want = append(want, fmt.Sprint("c1:", seq+1))
	}
	s.socket().push(pushed("c1", items...))
	for len(waiting) > 0 {
		run := waiting[0]
		waiting = waiting[1:]
		run()
		if waits := len(s.bot.side.followed["c1"].queue); waits > 4 {
			t.Errorf("%d wait", waits)
		}
		asked, refs := syncs(s.socket())
		for index, sync := range asked {
			s.socket().push(pushed("c1", items[sync.Held[0].Position.Seq:]...), &wire.ServerFrame{Ref: refs[index], Done: &wire.Done{}})
		}
	}
	equal(t, s.got, want, "given")
}

func TestRepliesChoicesFormsAndNotesGoToTheirConversation(t *testing.T) {
	s := liveBot(t, Options{}, BotOptions{})
	s.give("c1", said(1, "a", "s1"))
	conversation := s.bot.Conversation("c1")
	source := Source{Article: "a1", Title: "Returns", Path: "help/KEY/en/returns"}
	choices := []Choice{{ID: "a", Label: "A"}, {ID: "b", Label: "B"}}
	fields := []Field{{ID: "m", Label: "Mail", Kind: FieldEmail, Required: true}}
	for index, one := range []struct {
		say      func() *Sending
		content  *wire.Content
		audience wire.Audience
	}{
		{func() *Sending { return conversation.Reply("hi", Quote(1), From(source)) }, &wire.Content{Text: &wire.Text{Body: "hi"}, QuoteSeq: 1, Sources: []Source{source}}, wire.AudienceEveryone},
		{func() *Sending { return conversation.Choices("Which?", choices) }, &wire.Content{Choices: &wire.Choices{Body: "Which?", Choices: choices}}, wire.AudienceEveryone},
		{func() *Sending { return conversation.Form("Who?", fields, "Go") }, &wire.Content{Form: &wire.Form{Title: "Who?", Fields: fields, Submit: "Go"}}, wire.AudienceEveryone},
		{func() *Sending { return conversation.Note("hm") }, text("hm"), wire.AudienceTeam},
	} {
		sending := one.say()
		send := sends(s.socket())[0]
		equal(t, send.Content, one.content, "content")
		if send.Conversation != "c1" || send.Audience != one.audience {
			t.Errorf("%+v", send)
		}
		s.ack(send, uint64(index+2))
		if ack, err := settled(t, sending); err != nil || ack.Seq != uint64(index+2) {
			t.Error(ack, err)
		}
	}
}

func (s *botSet) ack(send *wire.Send, seq uint64) {
	s.socket().push(&wire.ServerFrame{Ack: &wire.Ack{Conversation: "c1", ClientMsgID: send.ClientMsgID, Position: at(seq)}})
}

func TestAFormThatWasFilledInComesAsValues(t *testing.T) {
	s := liveBot(t, Options{}, BotOptions{})
	var seen Message
	s.handle = func(_ context.Context, _ *Conversation, message Message) error {
		seen = message
		return nil
	}
	filled := said(1, "", "s1")
	values := []wire.FieldValue{{ID: "order", Label: "Order", Value: "A-17"}}
	filled.Entry.Content = &wire.Content{FormReply: &wire.FormReply{Values: values}, QuoteSeq: 3}
	s.give("c1", filled)
	if seen.Kind != KindFormReply || seen.Values["order"] != "A-17" || seen.QuoteSeq != 3 {
		t.Errorf("%+v", seen)
	}
}

func TestAStreamSendsDraftsThenTheMessage(t *testing.T) {
	s := liveBot(t, Options{}, BotOptions{})
	s.give("c1", said(1, "a", "s1"))
	stream := s.bot.Conversation("c1").Stream()
	_, _ = stream.WriteString("Hel")
	_, _ = stream.WriteString("lo")
	s.clock.advance(250 * time.Millisecond)
	_, _ = stream.WriteString(" you")
	stream.End()
	drafts, _ := take(s.socket(), func(frame *wire.ClientFrame) *wire.Draft { return frame.Draft })
	equal(t, drafts, []*wire.Draft{{Conversation: "c1", Typing: true, Text: "Hel"}, {Conversation: "c1", Typing: true, Text: "Hello you"}}, "drafts")
	equal(t, sends(s.socket())[0].Content, text("Hello you"), "message")
}

// beside runs something that waits for the server; the test goes on once it has asked.
func (s *botSet) beside(run func() error) chan error {
	done := make(chan error, 1)
	go func() { done <- run() }()
	return done
}

// command waits until a command came.
func (s *botSet) command() (found *wire.Command, ref uint32) {
	for found == nil {
		s.bot.loop.do(func() {
			if asked, refs := commands(s.socket()); len(asked) > 0 {
				found, ref = asked[0], refs[0]
			}
		})
	}
	return found, ref
}

func TestHandOverToATeamWithANoteOrANoteAndBackToTheQueue(t *testing.T) {
	s := liveBot(t, Options{}, BotOptions{})
	s.give("c1", said(1, "a", "s1"))
	conversation := s.bot.Conversation("c1")
	ctx := context.Background()
	done := s.beside(func() error { return conversation.HandOver(ctx, HandOver{Team: "t1", Note: "angry"}) })
	first, ref := s.command()
	equal(t, first, &wire.Command{Conversation: "c1", Transfer: &wire.Transfer{ToTeam: "t1", Note: "angry"}}, "transfer")
	s.socket().push(&wire.ServerFrame{Ref: ref, Done: &wire.Done{}})
	equal(t, <-done, nil, "handed over")
	done = s.beside(func() error { return conversation.HandOver(ctx, HandOver{Note: "stuck"}) })
	var note []*wire.Send
	for len(note) == 0 {
		s.bot.loop.do(func() { note = sends(s.socket()) })
	}
	equal(t, note[0].Audience, wire.AudienceTeam, "audience")
	s.ack(note[0], 2)
	second, ref := s.command()
	equal(t, second, &wire.Command{Conversation: "c1", Requeue: &wire.Requeue{}}, "requeue")
	s.socket().push(&wire.ServerFrame{Ref: ref, Refusal: &wire.Refusal{Code: "session.version"}})
	equal(t, CodeOf(<-done), "session.version", "refused")
}

func TestMoreConversationsThanMayBeOpenAreAllCaughtUp(t *testing.T) {
	s := liveBot(t, Options{}, BotOptions{})
	for index := range 70 {
		s.give(fmt.Sprint("c", index), said(1, "a", "s1"))
	}
	left, _ := take(s.socket(), func(frame *wire.ClientFrame) *wire.Leave { return frame.Leave })
	if len(left) != 10 || left[0].Conversation != "c0" {
		t.Errorf("%d were left", len(left))
	}
	s.socket().push(pushed("c0", said(2, "to the owner", "s1")))
	equal(t, s.got[len(s.got)-1], "c0:2", "given")
	hello := s.again(wire.FeedPosition{Epoch: 7, Number: 14}, true)
	asked, _ := opens(s.socket())
	equal(t, len(hello.Held)+len(asked), 70, "caught up")
}

func TestAConversationThatMayBeReadNoLongerIsReleased(t *testing.T) {
	s := liveBot(t, Options{}, BotOptions{})
	s.give("c1", said(1, "a", "s1"))
	s.socket().push(&wire.ServerFrame{Refusal: &wire.Refusal{Code: "conversation.unknown", Conversation: "c1"}})
	equal(t, s.events, []string{"given c1", "released c1"}, "events")
	s.give("c2", said(1, "a", "s1"))
	gone := "c2"
	s.socket().push(&wire.ServerFrame{Feed: &wire.FeedChanges{Changes: []wire.FeedChange{{Number: 15, Removed: &gone}}}})
	equal(t, s.events[len(s.events)-1], "released c2", "events")
}

func TestASessionWhoseOpenWasLostWithTheConnectionIsOpenedAgain(t *testing.T) {
	s := liveBot(t, Options{}, BotOptions{})
	of := mine(1, 2)
	s.socket().push(fed(13, row("c1", 1, of)))
	asked, _ := opens(s.socket())
	equal(t, len(asked), 1, "opens")
	s.socket().end(1006)
	s.clock.advance(500 * time.Millisecond)
	// The feed told of it already.
	s.welcome(welcomeBot(wire.FeedPosition{Epoch: 7, Number: 13}, true))
	_, refs := opens(s.socket())
	if len(refs) != 1 {
		t.Fatal("it was not opened again")
	}
	opened := &wire.OpenedFrame{Conversation: "c1", Items: []wire.TimelineItem{said(1, "a", "s1")}, Position: at(1), Session: of}
	s.socket().push(&wire.ServerFrame{Ref: refs[0], Opened: opened})
	equal(t, s.got, []string{"c1:1"}, "given")
}

func TestAnOpenThatIsNotAnsweredIsGivenAgain(t *testing.T) {
	s := liveBot(t, Options{}, BotOptions{})
	s.socket().push(fed(13, row("c1", 1, mine(1, 2))))
	asked, _ := opens(s.socket())
	equal(t, len(asked), 1, "opens")
	s.clock.advance(16 * time.Second)
	asked, _ = opens(s.socket())
	equal(t, len(asked), 1, "opens again")
}

func TestPagesThatWereReadForAConnectionThatIsGoneAreNotGivenASecondTime(t *testing.T) {
	s := liveBot(t, Options{}, BotOptions{})
	plain := s.answer
	s.answer = func(request *http.Request) any {
		if strings.HasSuffix(request.URL.Path, "/entries") {
			return map[string]any{"epoch": "10312465081116569670", "items": []wire.TimelineItem{entry(1, "hello"), said(2, "b", "s1")}}
		}
		return plain(request)
	}
	of := mine(1, 2)
	opened := &wire.OpenedFrame{Conversation: "c1", Items: []wire.TimelineItem{said(3, "c", "s1")}, MoreBefore: true, Position: at(3), Session: of}
	// The pages are read when the test says so.
	var reading []func()
	open := func() {
		_, refs := opens(s.socket())
		spawn := s.bot.loop.platform.spawn
		s.bot.loop.platform.spawn = func(run func()) { reading = append(reading, run) }
		s.socket().push(&wire.ServerFrame{Ref: refs[0], Opened: opened})
		s.bot.loop.platform.spawn = spawn
	}
	s.socket().push(fed(13, row("c1", 3, of)))
	open()
	s.socket().end(1006)
	s.clock.advance(500 * time.Millisecond)
	s.welcome(welcomeBot(wire.FeedPosition{Epoch: 7, Number: 13}, true))
	open()
	equal(t, len(reading), 2, "readings")
	for _, run := range reading {
		run()
		s.settle()
	}
	equal(t, s.got, []string{"c1:2", "c1:3"}, "given")
}

func TestAChoiceWithoutALabelSaysItsID(t *testing.T) {
	s := liveBot(t, Options{}, BotOptions{})
	s.give("c1", said(1, "a", "s1"))
	choices := []Choice{{ID: "a"}, {ID: "b", Label: "B"}}
	s.bot.Conversation("c1").Choices("Which?", choices)
	want := []Choice{{ID: "a", Label: "a"}, {ID: "b", Label: "B"}}
	equal(t, sends(s.socket())[0].Content.Choices.Choices, want, "choices")
	equal(t, choices[0].Label, "", "the program's own")
}
