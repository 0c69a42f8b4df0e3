package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// before is how a first program talks to the service. It compiles, and works on a good
// day. The numbers mark what goes wrong on the others; after.go has the same numbers.
type before struct {
	base, instance, token string
	client                *http.Client
}

func (b *before) confirm(ctx context.Context, to, question, text string) error {
	body, err := json.Marshal(map[string]any{
		"number":  to,
		"message": text,
		"replyId": question, // (3) the service has no such field, and says nothing
	})
	if err != nil {
		return err
	}
	for range 3 { // (1) what is lost on the way back is sent again
		if err = b.post(ctx, body); err == nil {
			return nil
		}
		time.Sleep(100 * time.Millisecond) // (4) a quota takes up to a minute
	}
	return err
}

func (b *before) post(ctx context.Context, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.base+"/api/message/text/"+b.instance, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("token", b.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := b.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	said, _ := io.ReadAll(resp.Body) // (5) without a limit
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s %v: %s", req.Method, req.URL, req.Header, said) // (2) the token, in every log
	}
	return nil // (5) whatever a 200 says, of whoever sent it
}
