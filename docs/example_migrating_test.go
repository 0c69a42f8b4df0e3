package docs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// sendByHand is what code without the SDK often looks like.
func sendByHand(ctx context.Context, base, instance, token, to, text string) error {
	body, err := json.Marshal(map[string]any{"number": to, "text": text}) // the field is "message"
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/api/message/text/"+instance, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Token", token) // a redirect takes it along
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req) // no time limit
	if err != nil {
		return err // the caller sends again, and the customer gets it twice
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status) // 429, "not connected" and a proxy's page look the same
	}
	return nil
}

// sendBySDK does the same. Its error says whether it may be called again.
func sendBySDK(ctx context.Context, inst *ryze.InstanceClient, to ryze.JID, text string) error {
	_, err := inst.Messages.SendText(ctx, to, text)
	return err
}

// The simulator tells the mistakes of hand-written requests, which the service may
// ignore in silence.
func Example_migrating() {
	sim := ryzetest.NewServer()
	defer sim.Close()
	shop := sim.AddInstance("shop")
	shop.Pair("5511900000001")

	ctx := context.Background()
	fmt.Println(sendByHand(ctx, sim.URL, "shop", shop.Token(), "5511987654321", "Hello"))
	for _, mistake := range sim.Violations() {
		fmt.Println(mistake.Advice())
	}

	inst, err := ryze.NewInstanceClient("shop", shop.Token(), ryze.WithBaseURL(sim.URL))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(sendBySDK(ctx, inst, "5511987654321", "Hello"))
	// Output:
	// 400 Bad Request
	// unknown field “text”: the service would ignore it. Did you mean “message”?
	// <nil>
}
