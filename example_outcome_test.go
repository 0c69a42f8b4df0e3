package ryze_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// A handler of HTTP requests that sends tells its client what became of the
// message, and what to do next:
//
//	200  it was sent
//	202  nobody knows; it is looked for, and must not be sent again meanwhile
//	422  it will never be accepted as it is
//	429  not now, because of the quota or of WhatsApp: again after Retry-After
//	503  not now, for another reason: again after Retry-After
func ExampleOutcomeOf() {
	sim, inst := demo()
	defer sim.Close()
	handler := func(w http.ResponseWriter, r *http.Request) {
		_, err := inst.Messages.SendText(r.Context(), ryze.JID(r.FormValue("to")), r.FormValue("text"))
		switch ryze.OutcomeOf(err) {
		case ryze.OutcomeAccepted:
			w.WriteHeader(http.StatusOK)
			return
		case ryze.OutcomeUnknown:
			w.WriteHeader(http.StatusAccepted) // keep err for Messages.Settle
			return
		}
		pause, again := ryze.RetryAfter(err)
		if !again {
			http.Error(w, "the message was refused", http.StatusUnprocessableEntity)
			return
		}
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(pause.Seconds()))))
		status := http.StatusServiceUnavailable
		if errors.Is(err, ryze.ErrRateLimited) || errors.Is(err, ryze.ErrThrottled) {
			status = http.StatusTooManyRequests
		}
		http.Error(w, "the message was not sent", status)
	}

	post := func(to string) {
		w := httptest.NewRecorder()
		handler(w, httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/notify?text=Hello&to="+to, nil))
		fmt.Printf("%d %q\n", w.Code, w.Header().Get("Retry-After"))
	}
	post("5511987654321")
	post("nobody")
	sim.Fault("messages.text", ryzetest.Throttled())
	post("5511987654321")
	sim.Fault("messages.text", ryzetest.Fault{Status: http.StatusServiceUnavailable, Message: "Instance is not connected to WhatsApp"})
	post("5511987654321")
	sim.Fault("messages.text", ryzetest.Fault{Drop: ryzetest.DropAfterProcess})
	post("5511987654321")
	// Output:
	// 200 ""
	// 422 ""
	// 429 "60"
	// 503 "10"
	// 202 ""
}

// A loop that tries again for as long as that makes sense.
func ExampleRetryAfter() {
	sim, inst := demo()
	defer sim.Close()
	sim.Fault("messages.text", ryzetest.Fault{Status: 429, Message: "slow down", Header: map[string][]string{"Retry-After": {"0"}}})
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	for {
		_, err := inst.Messages.SendText(ctx, "5511987654321", "Hello")
		pause, again := ryze.RetryAfter(err)
		if !again {
			fmt.Println(ryze.OutcomeOf(err))
			return
		}
		fmt.Println("again")
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
	// Output:
	// again
	// accepted
}
