package frontdesk

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"frontdesk.example/sdk/wire"
)

const (
	// As many as a hello or a position check may name, and a connection may have open.
	openMax = 60
	// Conversations of others whose place is remembered.
	placesMax = 10000
	listAgain = 3 * time.Second
	openAgain = time.Second
	// Messages of a session that is not the bot's yet: kept for when it is.
	unclaimedMax       = 1000
	handlersMaxDefault = 64
)

// Handler answers a visitor's message. ctx ends with the client. What it returns, or panics with, is told by
// BotEvents.Error, and the next message comes.
type Handler func(ctx context.Context, conversation *Conversation, message Message) error

// BotOptions say who the bot is.
type BotOptions struct {
	// fd_..., made with "bot": true.
	APIKey string
	// Handlers that run at a time in all. 64 where 0.
	HandlersMax int
	OnMessage   Handler
	Events      BotEvents
}

// BotEvents are what the program wants to be told; any may be nil.
type BotEvents struct {
	// The bot was given a session.
	Given func(*Conversation)
	// The session is the bot's no longer: closed, or with somebody else.
	Released func(*Conversation)
	// Every message of a conversation the bot looks at, of whomever.
	Entry func(*Conversation, Message)
	// Somebody took back the entry with this seq.
	Retracted func(conversation *Conversation, seq uint64)
	// The newest page came in place of what was held. missed: messages before it will not be given.
	Reload func(conversation *Conversation, missed bool)
	// The client's state changed; the error says why it stopped, or why it is not connected while it waits.
	State func(State, error)
	// Something that no call answers for: a handler failed, a page could not be read. Where nil it is logged by package log.
	Error func(error)
}

// Bot is an API key that answers conversations. The feed says which sessions it was given; those are opened, and each
// visitor's message is handed to the handler once and in order, also over reconnects. One handler runs at a time in each
// conversation, several at a time in all.
type Bot struct {
	*client
	side botSide
}

// botSide is the part of a bot that the client calls.
type botSide struct {
	*client
	bot      *Bot
	who      BotOptions
	me       wire.Actor
	followed map[string]*followed
	// What is open on this connection, the longest unused first.
	open         []string
	feedPosition *wire.FeedPosition
	// Grows with every list that is read, so that a late one is told apart.
	listing   int
	listed    bool
	listTimer *timer
	syncFrom  int
	running   int
	ready     []*followed
	// In the order they were followed.
	order []*followed
}

// followed is a conversation the bot follows, and what its thread needs.
type followed struct {
	*thread
	side         *botSide
	conversation *Conversation
	// Visitor's messages that wait for the handler.
	queue   []Message
	running bool
	// Visitor's messages since the last answer, while the session was not the bot's.
	unclaimed []Message
	// An open is on its way, or the hello named it.
	opening bool
	// What it missed has been asked for, and did not come yet.
	wanted bool
	again  *timer
}

// Bot makes a bot, by its API key. Run, or Start, connects it.
func (f *Frontdesk) Bot(who BotOptions) *Bot {
	if who.HandlersMax == 0 {
		who.HandlersMax = handlersMaxDefault
	}
	bot := &Bot{}
	side := &bot.side
	side.bot, side.who, side.followed = bot, who, map[string]*followed{}
	bot.client = newClient(f.options, side, who.Events.State, who.Events.Error)
	side.client = bot.client
	return bot
}

// ID is the key's own id, once connected.
func (b *Bot) ID() (id string) {
	b.loop.do(func() { id = b.side.me.ID })
	return id
}

// Conversations are those whose session the bot owns.
func (b *Bot) Conversations() (all []*Conversation) {
	b.loop.do(func() {
		for _, one := range b.side.owned() {
			all = append(all, one.conversation)
		}
	})
	return all
}

// Conversation gives a conversation by its id, to write to it or move it.
func (b *Bot) Conversation(id string) (conversation *Conversation) {
	b.loop.do(func() { conversation = b.side.follow(id).conversation })
	return conversation
}

func (b *botSide) ticket() (ticket, error) {
	var given ticket
	err := b.api.request(b.ctx, http.MethodPost, "tickets", b.authorization(), map[string]string{"kind": "agent"}, &given)
	return given, err
}

// authorization is empty without a key: then the headers of the options say who it is.
func (b *botSide) authorization() string {
	if b.who.APIKey == "" {
		return ""
	}
	return "Bearer " + b.who.APIKey
}

func (b *botSide) toPresent() []wire.Held {
	b.open = nil
	for _, one := range b.followed {
		one.opening = false
	}
	var held []wire.Held
	for _, one := range b.owned() {
		if len(held) == openMax {
			break
		}
		// The server opens each by itself; an answer follows the welcome.
		one.opening = true
		b.open = append(b.open, one.id)
		held = append(held, one.presents())
	}
	return held
}

func (b *botSide) toSync() []wire.Held {
	var known []wire.Held
	for _, one := range b.owned() {
		if one.epoch != 0 {
			known = append(known, one.presents())
		}
	}
	if b.syncFrom >= len(known) {
		b.syncFrom = 0
	}
	some := known[b.syncFrom:min(b.syncFrom+openMax, len(known))]
	b.syncFrom += len(some)
	return some
}

func (b *botSide) feed() *wire.FeedPosition {
	if b.feedPosition == nil {
		return nil
	}
	position := *b.feedPosition
	return &position
}

func (b *botSide) self() *wire.Actor {
	me := b.me
	return &me
}

func (b *botSide) welcomed(welcome *wire.Welcome) {
	if welcome.Self != nil {
		b.me = *welcome.Self
	}
	recovered := welcome.FeedRecovered && b.feedPosition != nil
	if !recovered {
		b.feedPosition = welcome.Feed
	}
	// An open whose answer was lost with the connection is given again: the feed does not tell of it a second time.
	for _, one := range b.order {
		if (one.wanted || one.conversation.owned) && !one.opening {
			b.load(one)
		}
	}
	if !recovered || !b.listed {
		b.listed = false
		b.list()
	}
}

func (b *botSide) received(frame *wire.ServerFrame) {
	switch {
	case frame.Entries != nil:
		if one := b.followed[frame.Entries.Conversation]; one != nil {
			one.entries(frame.Entries)
		}
	case frame.Opened != nil:
		b.opened(frame.Opened)
	case frame.Session != nil:
		b.moved(b.followed[frame.Session.Conversation], frame.Session.Session, false)
	case frame.Feed != nil:
		for _, change := range frame.Feed.Changes {
			b.changed(change)
		}
	case frame.Refusal != nil:
		b.refusedOpen(frame.Refusal)
	}
}

func (b *botSide) placed(conversation string, entry *wire.Entry) {
	if one := b.followed[conversation]; one != nil {
		one.place(entry)
	}
}

func (b *botSide) lost() {
	b.open = nil
	b.listing++
	b.listTimer.stop()
	for _, one := range b.followed {
		one.thread.lost()
		one.opening = false
		one.again.stop()
	}
}

func (b *botSide) finish(error) {
	b.lost()
	for _, one := range b.followed {
		one.close()
		one.queue = nil
	}
}

func (b *botSide) roomy() {
	for _, one := range b.followed {
		if len(one.queue) <= b.options.InboxMax/2 {
			one.drained()
		}
	}
}

func (b *botSide) owned() []*followed {
	var owned []*followed
	for _, one := range b.order {
		if one.conversation.owned {
			owned = append(owned, one)
		}
	}
	return owned
}

func (b *botSide) follow(id string) *followed {
	if one := b.followed[id]; one != nil {
		return one
	}
	one := &followed{side: b, conversation: &Conversation{id: id, bot: b.bot}}
	one.thread = &thread{id: id, loop: b.loop, host: one}
	b.followed[id] = one
	b.order = append(b.order, one)
	b.forget()
	return one
}

// forget: the places of conversations of others are kept as long as there is room.
func (b *botSide) forget() {
	if len(b.order) <= placesMax {
		return
	}
	for index, one := range b.order {
		if one.conversation.owned || one.running || one.opening || one.wanted || index == len(b.order)-1 {
			continue
		}
		b.order = append(b.order[:index:index], b.order[index+1:]...)
		delete(b.followed, one.id)
		return
	}
}

// list: the feed says what changes; what there was before, the list says.
func (b *botSide) list() {
	b.listing++
	listing := b.listing
	b.loop.platform.spawn(func() {
		rows, err := b.api.mine(b.ctx, b.authorization())
		b.loop.do(func() {
			if listing != b.listing {
				return
			}
			if err != nil {
				b.failed(err)
				b.listTimer = b.loop.after(listAgain, b.list)
				return
			}
			b.listed = true
			for index := range rows {
				b.row(&rows[index])
			}
		})
	})
}

func (b *botSide) changed(change wire.FeedChange) {
	if change.Row != nil {
		b.row(change.Row)
	} else if change.Removed != nil {
		b.moved(b.followed[*change.Removed], nil, true)
	}
	if change.Number != 0 && b.feedPosition != nil {
		b.feedPosition = &wire.FeedPosition{Epoch: b.feedPosition.Epoch, Number: change.Number}
	}
}

func (b *botSide) row(row *wire.Row) {
	given := b.isMine(row.Session)
	if b.followed[row.Conversation] == nil && !given {
		return
	}
	one := b.follow(row.Conversation)
	conversation := one.conversation
	conversation.visitorID, conversation.visitorName, conversation.language = row.Visitor, row.VisitorName, row.Language
	if !isNewer(conversation.session, row.Session) {
		return
	}
	behind := row.Position != nil && row.Position.Seq > one.held
	switch {
	// What it missed while the session was somebody else's comes with the answer, and the session after it.
	case given && (!conversation.owned || behind && !b.isOpen(one.id)):
		b.load(one)
	case !given:
		b.moved(one, row.Session, false)
	}
}

func (b *botSide) load(one *followed) {
	one.wanted = true
	if one.opening || b.link.state != StateLive {
		return
	}
	one.opening = true
	b.touch(one.id)
	// The answer is taken in by opened, in the order of arrival.
	open := &wire.Open{Conversation: one.id, Position: one.position()}
	b.link.request(&wire.ClientFrame{Open: open}, func(err error) {
		if err == nil {
			return
		}
		one.opening = false
		if b.link.state != StateLive {
			// The next welcome opens it again.
			return
		}
		b.close(one.id)
		refused, ok := err.(*Error)
		switch {
		case !ok || !refused.Refused || refused.Code == "conversation.too_many_open" && refused.RetryAfter < 0:
			b.loadLater(one, openAgain)
		case refused.RetryAfter >= 0:
			b.loadLater(one, refused.RetryAfter)
		default:
			b.moved(one, nil, true)
		}
	})
}

func (b *botSide) loadLater(one *followed, after time.Duration) {
	if !one.again.runs() {
		one.again = b.loop.after(after, func() { b.load(one) })
	}
}

func (b *botSide) isOpen(id string) bool {
	for _, open := range b.open {
		if open == id {
			return true
		}
	}
	return false
}

// close takes a conversation off those that are open; false where it was not.
func (b *botSide) close(id string) bool {
	for index, open := range b.open {
		if open == id {
			b.open = append(b.open[:index:index], b.open[index+1:]...)
			return true
		}
	}
	return false
}

// touch keeps what is used open; what was not used for the longest time is left. It still comes, to the owner.
func (b *botSide) touch(id string) {
	b.close(id)
	b.open = append(b.open, id)
	for len(b.open) > openMax {
		b.leave(b.open[0])
	}
}

func (b *botSide) leave(id string) {
	if b.close(id) {
		b.link.request(&wire.ClientFrame{Leave: &wire.Leave{Conversation: id}}, func(error) {})
	}
}

// refusedOpen: one of those the hello named cannot be opened now, or may no longer be read.
func (b *botSide) refusedOpen(refusal *wire.Refusal) {
	one := b.followed[refusal.Conversation]
	if one == nil {
		return
	}
	one.opening = false
	if refusal.RetryAfterMs != nil {
		if one.conversation.owned {
			b.loadLater(one, millis(*refusal.RetryAfterMs))
		}
	} else if refusal.Code == "conversation.unknown" {
		b.close(one.id)
		b.moved(one, nil, true)
	}
}

func (b *botSide) opened(frame *wire.OpenedFrame) {
	one := b.followed[frame.Conversation]
	if one == nil {
		return
	}
	one.opening = false
	conversation := one.conversation
	// Going on with the same session, what comes is the bot's. Otherwise the session says so once all is there.
	same := conversation.session != nil && frame.Session != nil && conversation.session.ID == frame.Session.ID
	conversation.owned = conversation.owned && same && b.isMine(frame.Session)
	one.thread.opened(frame)
}

func (b *botSide) isMine(session *wire.Session) bool {
	if session == nil || session.Owner == nil || b.me.ID == "" {
		return false
	}
	answers := session.Status == wire.SessionStatusAssigned || session.Status == wire.SessionStatusPending
	return answers && session.Owner.ID == b.me.ID
}

func isNewer(known, session *wire.Session) bool {
	if known == nil || session == nil {
		return session != nil
	}
	return !isOlder(*session, *known)
}

// moved: the session is another one now; gone: it is not the bot's to read any more.
func (b *botSide) moved(one *followed, session *wire.Session, gone bool) {
	if one == nil || !gone && !isNewer(one.conversation.session, session) {
		return
	}
	if gone {
		one.wanted = false
	}
	conversation := one.conversation
	owned := !gone && b.isMine(session)
	if owned && !conversation.owned && (one.loading || one.opening || one.epoch == 0 || !b.isOpen(one.id)) {
		// It is the bot's once everything before is there: the answer to the open says so again.
		if one.loading {
			conversation.session = session
		} else {
			b.load(one)
		}
		return
	}
	if session != nil {
		conversation.session = session
	}
	was := conversation.owned
	conversation.owned = owned
	events := &b.who.Events
	if owned {
		if !was && events.Given != nil {
			b.loop.tell(func() { events.Given(conversation) })
		}
		for _, message := range one.unclaimed {
			if message.Session == session.ID {
				one.queue = append(one.queue, message)
			}
		}
		one.unclaimed = nil
		b.pump(one)
	} else if was {
		// Whoever has it now answers what waits.
		one.queue = nil
		b.leave(one.id)
		if events.Released != nil {
			b.loop.tell(func() { events.Released(conversation) })
		}
	}
}

// pump runs the handler for what waits: one at a time in a conversation, HandlersMax in all.
func (b *botSide) pump(one *followed) {
	if one.running || len(one.queue) == 0 {
		return
	}
	if b.running >= b.who.HandlersMax {
		for _, other := range b.ready {
			if other == one {
				return
			}
		}
		b.ready = append(b.ready, one)
		return
	}
	message := one.queue[0]
	one.queue = one.queue[1:]
	one.running = true
	b.running++
	b.loop.platform.spawn(func() {
		err := b.handle(one.conversation, message)
		b.loop.do(func() { b.handled(one, err) })
	})
}

func (b *botSide) handle(conversation *Conversation, message Message) (err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("frontdesk: the handler panicked: %v\n%s", panicked, debug.Stack())
		}
	}()
	if b.who.OnMessage == nil {
		return nil
	}
	return b.who.OnMessage(b.ctx, conversation, message)
}

func (b *botSide) handled(one *followed, err error) {
	if err != nil {
		b.failed(err)
	}
	one.running = false
	b.running--
	if len(one.queue) <= b.options.InboxMax/2 {
		one.drained()
	}
	// The others first: none waits for one that never rests.
	if len(b.ready) > 0 {
		next := b.ready[0]
		b.ready = b.ready[1:]
		b.pump(next)
	}
	b.pump(one)
}

// What a thread asks and tells.

func (f *followed) givesPast() bool { return true }

func (f *followed) accept(entry *wire.Entry) bool {
	bot, conversation := f.side, f.conversation
	own := bot.me.ID != "" && entry.Actor != nil && entry.Actor.ID == bot.me.ID
	message := toMessage(entry, f.id, own)
	asks := message != nil && message.Actor.Kind == ActorVisitor
	// One of another session was somebody else's to answer, or will be the bot's when that session is.
	given := asks && conversation.owned && conversation.session != nil && message.Session == conversation.session.ID
	if given && len(f.queue) >= bot.options.InboxMax || len(bot.loop.events) >= bot.options.InboxMax {
		return false
	}
	bot.arrived(f.id, entry)
	events := &bot.who.Events
	if message != nil && events.Entry != nil {
		bot.loop.tell(func() { events.Entry(conversation, *message) })
	}
	if entry.Retraction != nil && events.Retracted != nil {
		bot.loop.tell(func() { events.Retracted(conversation, entry.Retraction.Seq) })
	}
	switch {
	case given:
		f.queue = append(f.queue, *message)
		bot.pump(f)
	case asks:
		f.unclaimed = append(f.unclaimed, *message)
		if len(f.unclaimed) > unclaimedMax {
			f.unclaimed = f.unclaimed[1:]
		}
	case isAnswer(entry):
		f.unclaimed = nil
	}
	return true
}

func (f *followed) reaches(items []wire.TimelineItem) bool {
	for _, item := range items {
		if item.Entry != nil && isAnswer(item.Entry) {
			return true
		}
	}
	return false
}

func (f *followed) loaded(frame *wire.OpenedFrame) {
	f.wanted = false
	session := f.conversation.session
	// What was told while older pages were read is newer than the frame.
	if isNewer(session, frame.Session) {
		session = frame.Session
	}
	f.side.moved(f, session, false)
	if !f.conversation.owned {
		f.side.leave(f.id)
	}
}

func (f *followed) reloaded(_ []wire.TimelineItem, missed bool) {
	if told := f.side.who.Events.Reload; told != nil {
		f.side.loop.tell(func() { told(f.conversation, missed) })
	}
}

func (f *followed) page(which string, seq uint64) ([]wire.TimelineItem, uint64, error) {
	return f.side.api.entries(f.side.ctx, f.id, f.side.authorization(), which, seq)
}

func (f *followed) sync() {
	f.side.link.request(&wire.ClientFrame{Sync: &wire.Sync{Held: []wire.Held{f.presents()}}}, func(error) {})
}

func (f *followed) otherEpoch()      { f.side.load(f) }
func (f *followed) failed(err error) { f.side.failed(err) }

// isAnswer: somebody of the team, a bot or a program said something to the visitor.
func isAnswer(entry *wire.Entry) bool {
	if entry.Actor == nil || entry.Content == nil || entry.Audience == wire.AudienceTeam {
		return false
	}
	kind := entry.Actor.Kind
	return kind == wire.ActorKindAgent || kind == wire.ActorKindBot || kind == wire.ActorKindAPI
}
