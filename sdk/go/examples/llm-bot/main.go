// Answers with a language model: any endpoint that speaks OpenAI's chat completions, over plain HTTP. The answer grows in
// the visitor's window while the model writes. What the model cannot be asked goes to a person.
//
//	FRONTDESK_URL=... FRONTDESK_BOT_KEY=fd_... LLM_BASE_URL=http://127.0.0.1:11434/v1 LLM_MODEL=... [LLM_API_KEY=...] \
//	[LLM_TIMEOUT=60s] go run ./examples/llm-bot
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"time"

	frontdesk "frontdesk.example/sdk"
)

const (
	system = "You answer customers of a shop: shortly, kindly, in their language. What you do not know you do not make up."
	// Turns of a conversation that the model is shown.
	turnsMax = 20
	// Conversations whose turns are kept; beyond that they are forgotten from the first on.
	conversationsMax = 1000
	lineBytesMax     = 1 << 20
)

type turn struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// memory keeps what was said in each conversation.
type memory struct {
	mu    sync.Mutex
	turns map[string][]turn
	order []string
}

func (m *memory) get(conversation string) []turn {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.turns[conversation]
}

func (m *memory) put(conversation string, turns []turn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.turns[conversation]; !known {
		m.order = append(m.order, conversation)
	}
	m.turns[conversation] = turns
	if len(m.order) > conversationsMax {
		delete(m.turns, m.order[0])
		m.order = m.order[1:]
	}
}

// complete gives the pieces of the model's answer to write.
func complete(ctx context.Context, turns []turn, write func(string)) error {
	timeout, err := time.ParseDuration(os.Getenv("LLM_TIMEOUT"))
	if err != nil {
		timeout = time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	body, err := json.Marshal(map[string]any{"model": os.Getenv("LLM_MODEL"), "messages": turns, "stream": true})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, os.Getenv("LLM_BASE_URL")+"/chat/completions", bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if key := os.Getenv("LLM_API_KEY"); key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the model answered %s", response.Status)
	}
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, lineBytesMax)
	for lines.Scan() {
		data, found := strings.CutPrefix(lines.Text(), "data:")
		if data = strings.TrimSpace(data); !found || data == "" || data == "[DONE]" {
			continue
		}
		var part struct {
			Choices []struct {
				Delta struct {
					Content string `json:"content"`
				} `json:"delta"`
			} `json:"choices"`
		}
		if err := json.Unmarshal([]byte(data), &part); err != nil {
			return err
		}
		if len(part.Choices) > 0 {
			write(part.Choices[0].Delta.Content)
		}
	}
	return lines.Err()
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	server, err := frontdesk.New(os.Getenv("FRONTDESK_URL"), frontdesk.Options{})
	if err != nil {
		log.Fatal(err)
	}
	known := &memory{turns: map[string][]turn{}}
	answer := func(ctx context.Context, conversation *frontdesk.Conversation, message frontdesk.Message) error {
		said := append(append([]turn{}, known.get(conversation.ID())...), turn{"user", message.Text})
		said = said[max(0, len(said)-turnsMax):]
		stream := conversation.Stream()
		err := complete(ctx, append([]turn{{"system", system}}, said...), func(piece string) { _, _ = stream.WriteString(piece) })
		if err != nil {
			log.Print(err)
			stream.Abort()
			return conversation.HandOver(ctx, frontdesk.HandOver{Note: "The language model cannot be reached."})
		}
		if _, err := stream.End().Wait(ctx); err != nil {
			return err
		}
		known.put(conversation.ID(), append(said, turn{"assistant", stream.Text()}))
		return nil
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
