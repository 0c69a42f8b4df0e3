package main

import (
	"context"
	"time"

	"github.com/ryzeapi/ryze-go/examples/internal/demo"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// customer plays somebody who taps what the simulated number sends.
func customer(ctx context.Context, service *demo.Service) {
	phone, n := service.Phone, 0
	does := func(in ryzetest.Incoming) {
		in.From, in.Name = "5511987654321", "Ana"
		phone.Receive(in)
		n++
		demo.Until(ctx, func() bool { return len(phone.Sent()) >= n })
	}
	// shown is what the last message lets people tap.
	shown := func(path ...any) string {
		sent := phone.Sent()
		if len(sent) == 0 {
			return ""
		}
		id, _ := lookup(sent[len(sent)-1].Request, path...).(string)
		return id
	}

	does(ryzetest.Incoming{Text: "Hi"})
	order, hours := shown("buttons", 0, "id"), shown("buttons", 1, "id")
	does(ryzetest.Incoming{Answer: &ryzetest.Answer{Kind: ryzetest.AnswerText, ID: hours}}) // a client without buttons
	does(ryzetest.Incoming{Answer: &ryzetest.Answer{Kind: ryzetest.AnswerButton, ID: order}})
	pizza := shown("sections", 0, "rows", 1, "id")
	does(ryzetest.Incoming{Answer: &ryzetest.Answer{Kind: ryzetest.AnswerList, ID: pizza, Title: "Funghi"}})

	// The form arrives twice, and is an order once. The names in it are an
	// invention.
	form := ryzetest.Incoming{ID: "3EB0F0F0F0F0", Answer: &ryzetest.Answer{
		Kind: ryzetest.AnswerForm, ID: shown("flowToken"), Values: map[string]any{"deliveryAddress": "Rua das Flores 12"},
	}}
	does(form)
	form.From, form.Name = "5511987654321", "Ana"
	phone.Receive(form)

	does(ryzetest.Incoming{Answer: &ryzetest.Answer{Kind: ryzetest.AnswerButton, ID: order}}) // once more, on the old menu
	demo.Pause(ctx, 100*time.Millisecond)
}

// lookup finds a value in JSON by keys and indexes.
func lookup(value any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			object, _ := value.(map[string]any)
			value = object[step]
		case int:
			list, _ := value.([]any)
			if step >= len(list) {
				return nil
			}
			value = list[step]
		}
	}
	return value
}
