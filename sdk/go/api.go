package frontdesk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"frontdesk.example/sdk/wire"
)

const (
	httpTimeout  = 15 * time.Second
	httpBytesMax = 16 << 20
	pageLimit    = 200
	// Pages of a list that are read at most.
	pagesMax = 100
)

type ticket struct {
	Ticket       string          `json:"ticket"`
	Node         *int            `json:"node"`
	VisitorToken string          `json:"visitor_token"`
	Conversation string          `json:"conversation_id"`
	Inbox        json.RawMessage `json:"inbox"`
}

// api is the HTTP half: tickets, pages of entries, the list of conversations.
type api struct {
	base    string
	http    *http.Client
	headers map[string]string
}

// request makes one request below /api/v1.
func (a *api) request(ctx context.Context, method, path, authorization string, body, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, httpTimeout)
	defer cancel()
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, a.base+"/api/v1/"+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "application/json")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	for name, value := range a.headers {
		request.Header.Set(name, value)
	}
	response, err := a.http.Do(request)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			return because(CodeTimeout, err)
		}
		return because(CodeConnectionLost, err)
	}
	defer func() { _ = response.Body.Close() }()
	found, err := io.ReadAll(io.LimitReader(response.Body, httpBytesMax))
	if err != nil {
		return because(CodeConnectionLost, err)
	}
	if response.StatusCode >= 200 && response.StatusCode < 300 {
		if err := json.Unmarshal(found, answer); err != nil {
			return because(fmt.Sprintf("http.%d", response.StatusCode), err)
		}
		return nil
	}
	problem := struct {
		Code   string `json:"code"`
		Detail string `json:"detail"`
	}{}
	if json.Unmarshal(found, &problem) != nil || problem.Code == "" {
		problem.Code = fmt.Sprintf("http.%d", response.StatusCode)
	}
	return &Error{Code: problem.Code, Detail: problem.Detail, Status: response.StatusCode, RetryAfter: retryAfter(response.Header)}
}

// entries reads one page of a conversation "after" or "before" a seq, oldest first, and its epoch.
func (a *api) entries(ctx context.Context, conversation, authorization, which string, seq uint64) ([]wire.TimelineItem, uint64, error) {
	var page struct {
		Items []wire.TimelineItem `json:"items"`
		Epoch uint64              `json:"epoch,string"`
	}
	path := fmt.Sprintf("conversations/%s/entries?limit=%d&%s=%d", url.PathEscape(conversation), pageLimit, which, seq)
	err := a.request(ctx, http.MethodGet, path, authorization, nil, &page)
	return page.Items, page.Epoch, err
}

// mine lists all conversations the caller owns a session of.
func (a *api) mine(ctx context.Context, authorization string) ([]wire.Row, error) {
	var rows []wire.Row
	cursor := ""
	for range pagesMax {
		var page struct {
			Rows []wire.Row `json:"rows"`
			Next string     `json:"next"`
		}
		path := fmt.Sprintf("conversations?view=mine&limit=%d", pageLimit)
		if cursor != "" {
			path += "&cursor=" + url.QueryEscape(cursor)
		}
		if err := a.request(ctx, http.MethodGet, path, authorization, nil, &page); err != nil {
			return nil, err
		}
		rows = append(rows, page.Rows...)
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	return rows, nil
}
