// Command send sends a text: go run ./examples/send -to 5511987654321 -text Hello
package main

import (
	"context"
	"flag"
	"fmt"
	"log"

	"github.com/ryzeapi/ryze-go"
)

func main() {
	to, text := flag.String("to", "", "digits with country code"), flag.String("text", "Hello", "what to write")
	flag.Parse()
	inst, err := ryze.InstanceFromEnv() // RYZE_INSTANCE and RYZE_INSTANCE_TOKEN
	if err != nil {
		log.Fatal(err)
	}
	sent, err := inst.Messages.SendText(context.Background(), ryze.JID(*to), *text)
	if err != nil { // unknown: it may have been sent, so do not repeat it
		log.Fatalf("%v: %v", ryze.OutcomeOf(err), err)
	}
	fmt.Println(sent.Status, "to", sent.Chat)
}
