// Says back what the visitor says.
//
//	FRONTDESK_URL=http://127.0.0.1:8080 FRONTDESK_BOT_KEY=fd_... go run ./examples/echo-bot
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"

	frontdesk "frontdesk.example/sdk"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	server, err := frontdesk.New(os.Getenv("FRONTDESK_URL"), frontdesk.Options{})
	if err != nil {
		log.Fatal(err)
	}
	bot := server.Bot(frontdesk.BotOptions{
		APIKey: os.Getenv("FRONTDESK_BOT_KEY"),
		OnMessage: func(ctx context.Context, conversation *frontdesk.Conversation, message frontdesk.Message) error {
			_, err := conversation.Reply(message.Text).Wait(ctx)
			return err
		},
		Events: frontdesk.BotEvents{Error: func(err error) { log.Print(err) }},
	})
	if err := bot.Start(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println("ready")
	if err := bot.Run(ctx); err != nil {
		log.Fatal(err)
	}
}
