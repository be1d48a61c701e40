// Says where an order is: asks for its number with a form, and gives the visitor to a person who wants one.
//
//	FRONTDESK_URL=... FRONTDESK_BOT_KEY=fd_... go run ./examples/order-bot
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"regexp"
	"strconv"

	frontdesk "frontdesk.example/sdk"
)

var digits = regexp.MustCompile(`[0-9]{1,9}$`)

// statusOf says where an order is. A shop would look into its own books here.
func statusOf(order string) (string, bool) {
	number, err := strconv.Atoi(digits.FindString(order))
	states := []string{"is being packed", "is on its way", "has arrived"}
	return states[number%len(states)], err == nil
}

func answer(ctx context.Context, conversation *frontdesk.Conversation, message frontdesk.Message) error {
	if message.Choice == "person" {
		return conversation.HandOver(ctx, frontdesk.HandOver{Note: "The visitor's order number was not found."})
	}
	var sending *frontdesk.Sending
	if message.Kind != frontdesk.KindFormReply {
		fields := []frontdesk.Field{{ID: "order", Label: "Order number", Kind: frontdesk.FieldOrderNumber, Required: true}}
		sending = conversation.Form("Which order is it about?", fields, "Look it up")
	} else if status, found := statusOf(message.Values["order"]); found {
		sending = conversation.Reply(fmt.Sprintf("Order %s %s.", message.Values["order"], status), frontdesk.Quote(message.Seq))
	} else {
		buttons := []frontdesk.Choice{{ID: "again", Label: "Try again"}, {ID: "person", Label: "Ask a person"}}
		sending = conversation.Choices(fmt.Sprintf("There is no order %s.", message.Values["order"]), buttons)
	}
	_, err := sending.Wait(ctx)
	return err
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	server, err := frontdesk.New(os.Getenv("FRONTDESK_URL"), frontdesk.Options{})
	if err != nil {
		log.Fatal(err)
	}
	bot := server.Bot(frontdesk.BotOptions{
		APIKey:    os.Getenv("FRONTDESK_BOT_KEY"),
		OnMessage: answer,
		Events:    frontdesk.BotEvents{Error: func(err error) { log.Print(err) }},
	})
	if err := bot.Start(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println("ready")
	if err := bot.Run(ctx); err != nil {
		log.Fatal(err)
	}
}
