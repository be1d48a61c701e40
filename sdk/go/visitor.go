package frontdesk

import (
	"context"
	"encoding/json"
	"net/http"

	"frontdesk.example/sdk/wire"
)

// VisitorOptions say who the visitor is.
type VisitorOptions struct {
	// Names the inbox; it is public.
	InboxKey string
	// From an earlier run: the visitor and the conversation. Treat it like a password.
	Token string
	// How far an earlier run got (Visitor.Position): messages go on from there.
	Position *wire.Position
	// Who the site says the visitor is: gives a fresh JSON Web Token.
	IdentityToken func(context.Context) (string, error)
	// The page the visitor writes from, and the one before.
	Page, Referrer string
	Events         VisitorEvents
}

// VisitorEvents are what the program wants to be told; any may be nil.
type VisitorEvents struct {
	// Every message with its place, own ones and system texts too: each once, in order.
	Entry func(Message)
	// Somebody took back the entry with this seq.
	Retracted func(seq uint64)
	// The newest page came in place of what was held. missed: messages before it will not be given.
	Reload func(messages []Message, missed bool)
	// Somebody types; a bot's text grows until its message comes.
	Draft func(actor Actor, typing bool, text string)
	// The session changed.
	Session func(wire.Session)
	// Where the visitor stands in the queue.
	Queue func(wire.QueuePlace)
	// Whether somebody of the inbox is online.
	Attended func(bool)
	// The client's state changed; the error says why it stopped, or why it is not connected while it waits.
	State func(State, error)
	// Something that no call answers for, such as a page that could not be read. Where nil it is logged by package log.
	Error func(error)
}

// Visitor is a visitor's client: one identity, one conversation.
type Visitor struct {
	*client
	side visitorSide
}

// visitorSide is the part of a visitor that the client calls.
type visitorSide struct {
	*client
	who          VisitorOptions
	token        string
	conversation string
	inboxView    json.RawMessage
	// The inbox wants to see unsent text, or at least that somebody types.
	drafts, typing bool
	selfID         string
	session        wire.Session
	thread         *thread
	inbox          *inbox
}

// Visitor makes a visitor of an inbox. Start connects it.
func (f *Frontdesk) Visitor(who VisitorOptions) *Visitor {
	visitor := &Visitor{}
	side := &visitor.side
	side.who, side.token = who, who.Token
	visitor.client = newClient(f.options, side, who.Events.State, who.Events.Error)
	side.client = visitor.client
	side.thread = &thread{loop: visitor.loop, host: side}
	if who.Position != nil {
		side.thread.reset(who.Position.Epoch, who.Position.Seq)
	}
	return visitor
}

// Token is the visitor's identity: keep it. Empty before the first ticket.
func (v *Visitor) Token() (token string) {
	v.loop.do(func() { token = v.side.token })
	return token
}

// ConversationID is empty before the first ticket.
func (v *Visitor) ConversationID() (id string) {
	v.loop.do(func() { id = v.side.conversation })
	return id
}

// Inbox is the inbox as the ticket's answer describes it, as JSON.
func (v *Visitor) Inbox() (inbox json.RawMessage) {
	v.loop.do(func() { inbox = v.side.inboxView })
	return inbox
}

// Position is how far messages were given to the program: present it to a later run to go on from there. Nil before
// anything is known.
func (v *Visitor) Position() (position *wire.Position) {
	v.loop.do(func() {
		position = v.side.thread.position()
		if inbox := v.side.inbox; position != nil && inbox != nil && len(inbox.waiting) > 0 {
			position.Seq = min(position.Seq, inbox.waiting[0].Seq-1)
		}
	})
	return position
}

// Send sends a text. It is kept and sent again until its ack, over any number of reconnects.
func (v *Visitor) Send(text string, more ...ReplyOption) *Sending {
	content := &wire.Content{Text: &wire.Text{Body: text}}
	for _, option := range more {
		option(content)
	}
	return v.SendContent(content)
}

// SendContent sends any content a visitor may, for example a file that was uploaded.
func (v *Visitor) SendContent(content *wire.Content) *Sending {
	return v.post("", content, wire.AudienceEveryone)
}

// Choose picks one of the choices of a message.
func (v *Visitor) Choose(message Message, choiceID string) *Sending {
	for _, choice := range message.Choices {
		if choice.ID == choiceID {
			return v.SendContent(&wire.Content{Text: &wire.Text{Body: choice.Label}, Choice: choiceID, QuoteSeq: message.Seq})
		}
	}
	return failed(fail("request.invalid", "the message has no choice "+choiceID))
}

// Submit answers a form, by the ids of its fields.
func (v *Visitor) Submit(form Message, values map[string]string) *Sending {
	reply := &wire.FormReply{}
	for _, field := range form.Fields {
		if value, ok := values[field.ID]; ok {
			reply.Values = append(reply.Values, wire.FieldValue{ID: field.ID, Label: field.Label, Value: value})
		}
	}
	return v.SendContent(&wire.Content{FormReply: reply, QuoteSeq: form.Seq})
}

// Messages gives the messages of others, each once and in order, from the first call on; later calls give the same channel.
// A reader that falls far behind misses nothing: what finds no room is asked for again. It is closed when the client ends;
// Err then says why, and Position stands before what was not read.
func (v *Visitor) Messages() (out <-chan Message) {
	v.loop.do(func() {
		if v.side.inbox == nil {
			v.side.inbox = newInbox(v.loop, v.options.InboxMax, v.over, v.side.thread.drained)
		}
		out = v.side.inbox.out
	})
	return out
}

// Typing says that the visitor types, or no longer does. What is typed goes only to an inbox that wants to see it.
func (v *Visitor) Typing(typing bool, text string) {
	v.loop.do(func() {
		if !v.side.drafts {
			text = ""
		}
		if v.side.drafts || v.side.typing {
			v.link.push(&wire.ClientFrame{Draft: &wire.Draft{Typing: typing, Text: cut([]byte(text))}})
		}
	})
}

// Read says that everything up to here was seen.
func (v *Visitor) Read(seq uint64) {
	v.loop.do(func() {
		held := v.side.thread.held
		v.link.push(&wire.ClientFrame{Cursor: &wire.MoveCursor{DeliveredSeq: held, ReadSeq: min(seq, held)}})
	})
}

// EndSession ends the session, where the inbox lets visitors do so.
func (v *Visitor) EndSession(ctx context.Context) error {
	return v.command(ctx, wire.Command{Close: &wire.Close{}}, "session.closed")
}

// Rate rates the session that was closed, 1 to 5.
func (v *Visitor) Rate(ctx context.Context, rating uint32, comment string) error {
	return v.command(ctx, wire.Command{Rate: &wire.Rate{Rating: rating, Comment: comment}}, "session.not_ratable")
}

// AskForPerson lets a person take over while a bot answers.
func (v *Visitor) AskForPerson(ctx context.Context) error {
	return v.command(ctx, wire.Command{AskForPerson: &wire.AskForPerson{}}, "session.not_owner")
}

func (v *visitorSide) ticket() (ticket, error) {
	body := map[string]string{
		"kind": "visitor", "inbox_key": v.who.InboxKey, "language": v.options.Language, "page": v.who.Page, "referrer": v.who.Referrer,
	}
	v.loop.do(func() {
		if v.token != "" {
			body["visitor_token"] = v.token
		}
	})
	if v.who.IdentityToken != nil {
		ctx, cancel := context.WithTimeout(v.ctx, reachTimeout)
		defer cancel()
		proof, err := v.who.IdentityToken(ctx)
		if err != nil {
			return ticket{}, err
		}
		body["identity_token"] = proof
	}
	var given ticket
	if err := v.api.request(v.ctx, http.MethodPost, "tickets", "", body, &given); err != nil {
		return given, err
	}
	v.loop.do(func() {
		// The server may take the visitor for somebody else, with another conversation.
		if v.conversation != "" && v.conversation != given.Conversation {
			v.thread.reset(0, 0)
		}
		v.token, v.conversation, v.inboxView = given.VisitorToken, given.Conversation, given.Inbox
		inbox := struct {
			Typing *bool `json:"typing"`
		}{}
		v.typing = json.Unmarshal(given.Inbox, &inbox) != nil || inbox.Typing == nil || *inbox.Typing
	})
	return given, nil
}

func (v *visitorSide) toPresent() []wire.Held {
	if v.thread.epoch == 0 {
		return nil
	}
	return []wire.Held{v.thread.presents()}
}

func (v *visitorSide) toSync() []wire.Held      { return v.toPresent() }
func (v *visitorSide) feed() *wire.FeedPosition { return nil }
func (v *visitorSide) lost()                    { v.thread.lost() }
func (v *visitorSide) finish(error)             { v.thread.close() }
func (v *visitorSide) self() *wire.Actor {
	return &wire.Actor{Kind: wire.ActorKindVisitor, ID: v.selfID}
}

func (v *visitorSide) roomy() { v.thread.drained() }

func (v *visitorSide) welcomed(welcome *wire.Welcome) {
	if welcome.Self != nil {
		v.selfID = welcome.Self.ID
	}
	v.drafts = welcome.Drafts
	if len(welcome.Opened) > 0 {
		v.thread.opened(&welcome.Opened[0])
	}
	v.attended(welcome.Attended)
}

func (v *visitorSide) received(frame *wire.ServerFrame) {
	events := &v.who.Events
	switch {
	case frame.Entries != nil:
		v.thread.entries(frame.Entries)
	case frame.Opened != nil:
		v.thread.opened(frame.Opened)
	case frame.Session != nil:
		v.sessionMoved(frame.Session.Session)
	case frame.QueuePlace != nil && events.Queue != nil:
		v.loop.tell(func() { events.Queue(*frame.QueuePlace) })
	case frame.Attended != nil:
		v.attended(frame.Attended.Attended)
	case frame.Draft != nil && events.Draft != nil && v.hasRoom():
		draft := frame.Draft
		v.loop.tell(func() { events.Draft(toActor(draft.Actor), draft.Typing, draft.Text) })
	}
}

func (v *visitorSide) attended(attended bool) {
	if told := v.who.Events.Attended; told != nil {
		v.loop.tell(func() { told(attended) })
	}
}

func (v *visitorSide) placed(_ string, entry *wire.Entry) { v.thread.place(entry) }

// hasRoom says whether the program keeps up with what it is told.
func (v *visitorSide) hasRoom() bool { return len(v.loop.events) < v.options.InboxMax }

func (v *visitorSide) accept(entry *wire.Entry) bool {
	own := isVisitor(entry)
	message := toMessage(entry, "", own)
	if !v.hasRoom() {
		return false
	}
	if message != nil && !own && message.Kind != KindSystem && v.inbox != nil && !v.inbox.push(*message) {
		return false
	}
	v.arrived("", entry)
	events := &v.who.Events
	if message != nil && events.Entry != nil {
		v.loop.tell(func() { events.Entry(*message) })
	}
	if entry.Retraction != nil && events.Retracted != nil {
		v.loop.tell(func() { events.Retracted(entry.Retraction.Seq) })
	}
	return true
}

func (v *visitorSide) sessionMoved(session *wire.Session) {
	if session == nil || isOlder(*session, v.session) {
		return
	}
	v.session = *session
	if told := v.who.Events.Session; told != nil {
		v.loop.tell(func() { told(*session) })
	}
}

func isOlder(session, known wire.Session) bool {
	return session.Number < known.Number || session.Number == known.Number && session.Version < known.Version
}

func isVisitor(entry *wire.Entry) bool {
	return entry.Actor != nil && entry.Actor.Kind == wire.ActorKindVisitor
}

// What the thread asks and tells.

func (v *visitorSide) givesPast() bool                  { return false }
func (v *visitorSide) reaches([]wire.TimelineItem) bool { return true }
func (v *visitorSide) loaded(frame *wire.OpenedFrame)   { v.sessionMoved(frame.Session) }
func (v *visitorSide) otherEpoch()                      { v.link.fail("another epoch") }

func (v *visitorSide) reloaded(items []wire.TimelineItem, missed bool) {
	told := v.who.Events.Reload
	if told == nil {
		return
	}
	messages := []Message{}
	for _, item := range items {
		if item.Entry == nil {
			continue
		}
		if message := toMessage(item.Entry, "", isVisitor(item.Entry)); message != nil {
			messages = append(messages, *message)
		}
	}
	v.loop.tell(func() { told(messages, missed) })
}

func (v *visitorSide) page(which string, seq uint64) ([]wire.TimelineItem, uint64, error) {
	var conversation, token string
	v.loop.do(func() { conversation, token = v.conversation, v.token })
	return v.api.entries(v.ctx, conversation, "Visitor "+token, which, seq)
}

func (v *visitorSide) sync() {
	if held := v.toSync(); len(held) > 0 {
		// What is refused now is asked again with the next check.
		v.link.request(&wire.ClientFrame{Sync: &wire.Sync{Held: held}}, func(error) {})
	}
}
