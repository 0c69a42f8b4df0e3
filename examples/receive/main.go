// Command receive prints what is written to a number: go run ./examples/receive
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/ryzeapi/ryze-go"
)

func main() {
	inst, err := ryze.InstanceFromEnv() // RYZE_INSTANCE and RYZE_INSTANCE_TOKEN
	if err != nil {
		log.Fatal(err)
	}
	stream, err := inst.Subscribe(context.Background(), ryze.WithWebSocket(ryze.WebSocketConfig{}))
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(stream.Handle(context.Background(), ryze.On(func(_ context.Context, _ *ryze.Event, m *ryze.MessageEvent) error {
		fmt.Println(m.Direction, m.Chat.JID.User(), m.Text)
		return nil
	})))
}
