package ryze_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"

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
		handler(w, httptest.NewRequest(http.MethodPost, "/notify?text=Hello&to="+to, nil))
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

// RetryAfter says when another try makes sense, and whether it ever does.
func ExampleRetryAfter() {
	sim, inst := demo()
	defer sim.Close()
	_, err := inst.Messages.SendText(context.Background(), "12", "Hello")
	fmt.Println(ryze.RetryAfter(err))
	sim.Fault("messages.text", ryzetest.Throttled())
	_, err = inst.Messages.SendText(context.Background(), "5511987654321", "Hello")
	fmt.Println(ryze.RetryAfter(err))
	// Output:
	// 0s false
	// 1m0s true
}
