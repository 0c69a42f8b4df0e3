package ryze_test

import (
	"context"
	"errors"
	"fmt"

	ryze "github.com/ryzeapi/ryze-go"
)

// A message that is kept until it can be sent.
func ExampleMarshalContent() {
	sim, inst := demo()
	defer sim.Close()

	stored, err := ryze.MarshalContent(ryze.Poll{Question: "When?", Options: []string{"9am", "2pm"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(stored))

	content, err := ryze.UnmarshalContent(stored) // after a restart, perhaps
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = inst.Messages.Send(context.Background(), "5511987654321", content)
	fmt.Println(err)
	// Output:
	// {"version":1,"kind":"poll","content":{"question":"When?","options":["9am","2pm"]}}
	// <nil>
}

// Two releases of a program may share a database. What the older one does not know
// is left for the newer one.
func ExampleUnmarshalContent() {
	_, err := ryze.UnmarshalContent([]byte(`{"version":1,"kind":"hologram","content":{}}`))
	if errors.Is(err, ryze.ErrNewerContent) {
		fmt.Println("leave it:", err)
	}
	// Output:
	// leave it: ryze: stored content is of the kind "hologram", which this release does not know
}
