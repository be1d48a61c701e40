package frontdesk

import (
	"strings"
	"time"

	"frontdesk.example/sdk/wire"
)

// ActorKind is who somebody is.
type ActorKind string

// Who somebody is.
const (
	ActorVisitor ActorKind = "visitor"
	ActorAgent   ActorKind = "agent"
	ActorBot     ActorKind = "bot"
	ActorSystem  ActorKind = "system"
	ActorAPI     ActorKind = "api"
	ActorUnknown ActorKind = "unknown"
)

// Actor is who said something.
type Actor struct {
	Kind ActorKind
	// Empty where the reader may not know it.
	ID, Name string
}

// MessageKind is what a message is.
type MessageKind string

// What a message is.
const (
	KindText        MessageKind = "text"
	KindFile        MessageKind = "file"
	KindChoices     MessageKind = "choices"
	KindForm        MessageKind = "form"
	KindFormReply   MessageKind = "form_reply"
	KindSystem      MessageKind = "system"
	KindUnsupported MessageKind = "unsupported"
)

// Message is an entry of a conversation with its parts as plain values.
type Message struct {
	Kind MessageKind
	// Empty for a visitor, who has one conversation.
	Conversation string
	Seq          uint64
	ID, Session  string
	Actor        Actor
	// Sent by this client, or by another one of the same identity.
	Own bool
	// A note that visitors never see.
	Team bool
	At   time.Time
	// Of a text its body, of choices the text above them, of a form its title; otherwise empty.
	Text string
	// The seq of the entry this one answers; 0 for none.
	QuoteSeq uint64
	// The id of the choice that was picked; empty for none.
	Choice  string
	Choices []wire.Choice
	Fields  []wire.FormField
	// Of a form reply: what was filled in, by the field's id.
	Values map[string]string
	File   *wire.File
	// The articles a bot's answer was taken from.
	Sources []wire.Source
	// As it came.
	Content *wire.Content
}

func toActor(actor *wire.Actor) Actor {
	if actor == nil {
		return Actor{Kind: ActorUnknown}
	}
	kind := ActorKind(strings.ToLower(strings.TrimPrefix(string(actor.Kind), "ACTOR_KIND_")))
	switch kind {
	case ActorVisitor, ActorAgent, ActorBot, ActorSystem, ActorAPI:
	default:
		kind = ActorUnknown
	}
	return Actor{kind, actor.ID, actor.Name}
}

// toMessage gives the message of an entry; nil for one that is none (taken back, or taking back).
func toMessage(entry *wire.Entry, conversation string, own bool) *Message {
	content := entry.Content
	if content == nil {
		return nil
	}
	message := &Message{
		Kind:         KindUnsupported,
		Conversation: conversation,
		Seq:          entry.Seq,
		ID:           entry.ID,
		Session:      entry.Session,
		Actor:        toActor(entry.Actor),
		Own:          own,
		Team:         entry.Audience == wire.AudienceTeam,
		At:           time.UnixMilli(entry.AtMs),
		QuoteSeq:     content.QuoteSeq,
		Choice:       content.Choice,
		Sources:      content.Sources,
		Content:      content,
	}
	switch {
	case content.Text != nil:
		message.Kind, message.Text = KindText, content.Text.Body
	case content.File != nil:
		message.Kind, message.File = KindFile, content.File
	case content.Choices != nil:
		message.Kind, message.Text, message.Choices = KindChoices, content.Choices.Body, content.Choices.Choices
	case content.Form != nil:
		message.Kind, message.Text, message.Fields = KindForm, content.Form.Title, content.Form.Fields
	case content.FormReply != nil:
		message.Kind, message.Values = KindFormReply, map[string]string{}
		for _, value := range content.FormReply.Values {
			message.Values[value.ID] = value.Value
		}
	case content.System != nil:
		message.Kind = KindSystem
	}
	return message
}
