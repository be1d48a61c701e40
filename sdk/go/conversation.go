package frontdesk

import (
	"context"
	"slices"

	"frontdesk.example/sdk/wire"
)

// FieldKind is what a field of a form takes.
type FieldKind = wire.FormFieldKind

// What a field of a form takes.
const (
	FieldText        FieldKind = wire.FormFieldKindText
	FieldEmail       FieldKind = wire.FormFieldKindEmail
	FieldPhone       FieldKind = wire.FormFieldKindPhone
	FieldOrderNumber FieldKind = wire.FormFieldKindOrderNumber
	FieldChoice      FieldKind = wire.FormFieldKindChoice
)

// Choice is a button, or an option of a field.
type Choice = wire.Choice

// Field is a field of a form.
type Field = wire.FormField

// Source is an article that an answer was taken from.
type Source = wire.Source

// ReplyOption says more about a reply.
type ReplyOption func(*wire.Content)

// Quote names the entry that is answered.
func Quote(seq uint64) ReplyOption { return func(content *wire.Content) { content.QuoteSeq = seq } }

// From names the articles the answer was taken from, the best first, at most 3.
func From(sources ...Source) ReplyOption {
	return func(content *wire.Content) { content.Sources = sources }
}

// HandOver says to whom a session goes.
type HandOver struct {
	// The team's id; without one the session goes to the queue it came from.
	Team string
	// What the team should know. Visitors never see it.
	Note string
}

// Conversation is a conversation as a bot's program sees it: what it may say and do there.
type Conversation struct {
	id  string
	bot *Bot
	// Within the loop.
	session                          *wire.Session
	visitorID, visitorName, language string
	// The bot owns the session: messages are given to it.
	owned bool
}

// ID names the conversation.
func (c *Conversation) ID() string { return c.id }

// Session is the newest session, as far as it is known.
func (c *Conversation) Session() (session wire.Session) {
	c.bot.loop.do(func() {
		if c.session != nil {
			session = *c.session
		}
	})
	return session
}

// Visitor is who writes here; empty where it is not known.
func (c *Conversation) Visitor() (id, name string) {
	c.bot.loop.do(func() { id, name = c.visitorID, c.visitorName })
	return id, name
}

// Language is the visitor's, as BCP 47; empty where it is not known.
func (c *Conversation) Language() (language string) {
	c.bot.loop.do(func() { language = c.language })
	return language
}

// Owned says whether the bot owns the session.
func (c *Conversation) Owned() (owned bool) {
	c.bot.loop.do(func() { owned = c.owned })
	return owned
}

// Reply answers with a text. Kept and sent again until its ack, over any number of reconnects.
func (c *Conversation) Reply(text string, more ...ReplyOption) *Sending {
	return c.send(&wire.Content{Text: &wire.Text{Body: text}}, more)
}

// Choices sends a text with buttons under it. What the visitor picks comes as a message with Choice. A choice without a label
// says its id.
func (c *Conversation) Choices(body string, choices []Choice, more ...ReplyOption) *Sending {
	return c.send(&wire.Content{Choices: &wire.Choices{Body: body, Choices: labelled(choices)}}, more)
}

// Form asks for several things at once. What is filled in comes as a message with Values.
func (c *Conversation) Form(title string, fields []Field, submit string, more ...ReplyOption) *Sending {
	return c.send(&wire.Content{Form: &wire.Form{Title: title, Fields: fields, Submit: submit}}, more)
}

// Note leaves a note for the team.
func (c *Conversation) Note(text string) *Sending {
	return c.bot.post(c.id, &wire.Content{Text: &wire.Text{Body: text}}, wire.AudienceTeam)
}

// Stream begins an answer that grows while it is written: drafts, then the message.
func (c *Conversation) Stream(more ...ReplyOption) *Stream {
	return &Stream{
		now:   c.bot.loop.platform.clock.Now,
		draft: c.draft,
		send:  func(text string) *Sending { return c.Reply(text, more...) },
	}
}

// Typing says that an answer is on its way, or no longer is.
func (c *Conversation) Typing(typing bool) { c.draft("", typing) }

// HandOver gives the session to people: to a team, or back to its queue.
func (c *Conversation) HandOver(ctx context.Context, to HandOver) error {
	if to.Team != "" {
		transfer := &wire.Transfer{ToTeam: to.Team, Note: to.Note}
		return c.bot.command(ctx, wire.Command{Conversation: c.id, Transfer: transfer}, "session.not_owner")
	}
	if to.Note != "" {
		if _, err := c.Note(to.Note).Wait(ctx); err != nil {
			return err
		}
	}
	return c.bot.command(ctx, wire.Command{Conversation: c.id, Requeue: &wire.Requeue{}}, "session.not_owner")
}

// Close ends the session.
func (c *Conversation) Close(ctx context.Context) error {
	return c.bot.command(ctx, wire.Command{Conversation: c.id, Close: &wire.Close{}}, "session.closed")
}

func labelled(choices []Choice) []Choice {
	all := slices.Clone(choices)
	for index := range all {
		if all[index].Label == "" {
			all[index].Label = all[index].ID
		}
	}
	return all
}

func (c *Conversation) draft(text string, typing bool) {
	c.bot.push(&wire.ClientFrame{Draft: &wire.Draft{Conversation: c.id, Text: text, Typing: typing}})
}

func (c *Conversation) send(content *wire.Content, more []ReplyOption) *Sending {
	for _, option := range more {
		option(content)
	}
	return c.bot.post(c.id, content, wire.AudienceEveryone)
}
