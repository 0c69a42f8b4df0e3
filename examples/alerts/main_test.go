package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/examples/internal/demo"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

const (
	ana   = "5511987654321"
	bruno = "5521998765432"
)

// on is a night on call, in virtual time; a goroutine left behind fails the test.
type on struct {
	*demo.Service
	t    *testing.T
	hook http.Handler
	log  strings.Builder
}

func call(t *testing.T, play func(*on)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		service, err := demo.Simulate(demo.Config{Simulator: []ryzetest.Option{ryzetest.InMemory()}})
		require.NoError(t, err)
		o := &on{Service: service, t: t}
		g := newGateway(service.Instance, []ryze.JID{ana, bruno}, "4f1c", &o.log)
		ctx, stop := context.WithCancel(t.Context())
		o.hook = g.serve(ctx)
		var working sync.WaitGroup
		working.Go(func() { assert.NoError(t, g.run(ctx)) })
		synctest.Wait()
		o.phone(-1, -1)
		play(o)
		stop()
		working.Wait()
		g.running.Wait()
		assert.NotContains(t, o.log.String(), service.Phone.Token())
		assert.Empty(t, service.Simulator.Violations())
		require.NoError(t, service.Close())
	})
}

// phone says when messages are delivered and read from now on; -1 is never.
func (o *on) phone(delivered, read time.Duration) {
	o.Phone.SetDelivery(ryzetest.Receipts{Delivered: delivered, Read: read})
}

// alert posts alerts as "status fingerprint severity", and returns the answer.
func (o *on) alert(group string, alerts ...string) int {
	o.t.Helper()
	var list []map[string]any
	for _, alert := range alerts {
		f := strings.Fields(alert)
		list = append(list, map[string]any{
			"status": f[0], "fingerprint": f[1], "labels": map[string]string{"severity": f[2]}, "annotations": map[string]string{"summary": f[1] + " is full"},
		})
	}
	body, err := json.Marshal(map[string]any{"version": "4", "groupKey": group, "groupLabels": map[string]string{"alertname": group}, "alerts": list})
	require.NoError(o.t, err)
	return o.post("Bearer 4f1c", string(body))
}

func (o *on) post(authorization, body string) int {
	r := httptest.NewRequestWithContext(o.t.Context(), http.MethodPost, "/alerts", strings.NewReader(body))
	r.Header.Set("Authorization", authorization)
	reply := httptest.NewRecorder()
	o.hook.ServeHTTP(reply, r)
	return reply.Code
}

// sent returns who was sent what, and forgets nothing.
func (o *on) sent() (lines []string) {
	synctest.Wait()
	for _, m := range o.Phone.Sent() {
		who := map[string]string{ana: "ana", bruno: "bruno"}[strings.TrimSuffix(m.Chat, "@s.whatsapp.net")]
		lines = append(lines, who+": "+strings.ReplaceAll(m.Text, "\n", " "))
	}
	return lines
}

func TestAlertsOfAGroupAreOneMessageHoweverOftenTheyAreTold(t *testing.T) {
	call(t, func(o *on) {
		o.phone(time.Second, 30*time.Second)
		for range 2 { // two Alertmanagers
			assert.Equal(t, http.StatusOK, o.alert("DiskFull", "firing db1 critical", "firing db2 critical"))
		}
		time.Sleep(5 * time.Second)
		o.alert("DiskFull", "firing db1 critical", "firing db2 critical", "firing db3 critical")
		time.Sleep(time.Minute) // and read
		for range 10 {
			o.alert("DiskFull", "firing db1 critical", "firing db2 critical", "firing db3 critical")
			time.Sleep(time.Hour)
		}
		want := []string{"ana: *DiskFull*: 3 firing - db1 is full - db2 is full - db3 is full"}
		assert.Equal(t, want, o.sent())

		// Another group is another incident, and one alert more has to be taken, too.
		o.alert("Down", "firing web warning")
		o.alert("DiskFull", "firing db4 critical")
		time.Sleep(time.Minute)
		assert.Len(t, o.sent(), 3)
		assert.Contains(t, o.sent(), "ana: *DiskFull*: 4 firing - db1 is full - db2 is full - db3 is full - db4 is full")

		o.alert("DiskFull", "resolved db1 critical", "resolved db2 critical", "resolved db3 critical", "resolved db4 critical")
		o.alert("DiskFull", "resolved db1 critical")
		assert.Equal(t, "ana: *DiskFull*: resolved", o.sent()[3])
		time.Sleep(time.Hour)
		assert.Len(t, o.sent(), 4)
	})
}

func TestPhoneThatIsOffIsFollowedByTheNext(t *testing.T) {
	call(t, func(o *on) {
		began := time.Now()
		o.alert("DiskFull", "firing db1 critical")
		time.Sleep(2*time.Minute + 9*time.Second)
		assert.Len(t, o.sent(), 1)
		o.phone(time.Second, 4*time.Minute)
		time.Sleep(2 * time.Second)
		assert.Equal(t, "bruno: *DiskFull*: 1 firing - db1 is full", o.sent()[1])
		assert.Equal(t, 2*time.Minute+11*time.Second, time.Since(began))
		time.Sleep(time.Hour)
		assert.Len(t, o.sent(), 2, "he reads it in time")
	})
}

func TestSleeperIsFollowedByTheNextAndRoundAgain(t *testing.T) {
	call(t, func(o *on) {
		o.phone(time.Second, -1)
		o.alert("DiskFull", "firing db1 critical")
		time.Sleep(4 * time.Minute)
		assert.Len(t, o.sent(), 1, "it is delivered, and has time")
		time.Sleep(12 * time.Minute)
		var who []string
		for _, line := range o.sent() {
			who = append(who, strings.SplitN(line, ":", 2)[0])
		}
		assert.Equal(t, []string{"ana", "bruno", "ana", "bruno"}, who)
	})
}

func TestReactionAndQuoteTakeAnIncident(t *testing.T) {
	for name, how := range map[string]func(id string) ryzetest.Incoming{
		"reaction": func(id string) ryzetest.Incoming {
			return ryzetest.Incoming{From: ana, Reaction: &ryzetest.Reaction{Emoji: "👍", MessageID: id}}
		},
		"quote": func(id string) ryzetest.Incoming { return ryzetest.Incoming{From: ana, Text: "mine", ReplyTo: id} },
	} {
		t.Run(name, func(t *testing.T) {
			call(t, func(o *on) {
				o.phone(time.Second, -1)
				o.alert("DiskFull", "firing db1 critical")
				time.Sleep(time.Minute)
				o.Phone.Receive(ryzetest.Incoming{From: ana, Text: "good night"}) // about something else
				o.Phone.Receive(how(o.Phone.Sent()[0].ID))
				time.Sleep(time.Hour)
				assert.Len(t, o.sent(), 1)
			})
		})
	}
}

// Whoever has read of one alert does not know of the next.
func TestWhatCameLaterHasToBeTakenToo(t *testing.T) {
	call(t, func(o *on) {
		o.phone(time.Second, -1)
		o.alert("DiskFull", "firing db1 warning")
		time.Sleep(time.Minute)
		o.alert("DiskFull", "firing db2 critical")
		o.Phone.Receipt("read", o.Phone.Sent()[0].ID)
		time.Sleep(time.Minute)
		require.Equal(t, []string{"ana: *DiskFull*: 1 firing - db1 is full", "ana: *DiskFull*: 2 firing - db1 is full - db2 is full"}, o.sent())
		time.Sleep(5 * time.Minute)
		assert.Len(t, o.sent(), 3)
	})
}

func TestPersonWhoCannotBeToldHoldsUpNobody(t *testing.T) {
	for name, fault := range map[string]ryzetest.Fault{
		"lost reply": {Drop: ryzetest.DropAfterProcess}, "refused": {Status: http.StatusBadRequest, Message: "number is not on WhatsApp"},
	} {
		t.Run(name, func(t *testing.T) {
			call(t, func(o *on) {
				o.phone(time.Second, 2*time.Second)
				o.Simulator.Fault("messages.text", fault)
				o.alert("DiskFull", "firing db1 critical")
				time.Sleep(time.Minute)
				last := o.sent()[len(o.sent())-1]
				assert.Contains(t, last, "bruno: ")
				assert.Equal(t, 2, o.Simulator.Count("messages.text"), "never sent twice to one")
				time.Sleep(time.Hour)
				assert.Equal(t, 2, o.Simulator.Count("messages.text"))
			})
		})
	}
}

func TestReceiptInAHoleOfTheStreamIsAskedFor(t *testing.T) {
	call(t, func(o *on) {
		o.phone(time.Second, 2*time.Second)
		o.alert("DiskFull", "firing db1 critical")
		time.Sleep(9 * time.Second)
		o.Simulator.Fault("GET /ws/:instance", ryzetest.Fault{Times: 3, Status: http.StatusBadGateway, Gateway: true})
		o.Phone.DropWebSockets(0)
		time.Sleep(time.Hour)
		assert.Len(t, o.sent(), 1)
	})
}

func TestStrangersAndNonsenseAreRefused(t *testing.T) {
	call(t, func(o *on) {
		assert.Equal(t, http.StatusUnauthorized, o.post("Bearer 4f1d", `{"groupKey":"x","alerts":[]}`))
		assert.Equal(t, http.StatusUnauthorized, o.post("", `{"groupKey":"x","alerts":[]}`))
		for _, body := range []string{"", "{", "{}", `{"alerts":[]}`, `"x"`, `{"groupKey":"` + strings.Repeat("x", 1<<20) + `"}`} {
			assert.Equal(t, http.StatusBadRequest, o.post("Bearer 4f1c", body))
		}
		assert.Equal(t, http.StatusOK, o.alert("Fine", "resolved db1 critical"))
		for i := range 1000 {
			require.Equal(t, http.StatusOK, o.alert(fmt.Sprint("Flood", i), "firing db1 warning"))
		}
		assert.Equal(t, http.StatusServiceUnavailable, o.alert("Flood", "firing db1 warning"))
	})
}

func TestDemonstration(t *testing.T) {
	var out strings.Builder
	require.NoError(t, start(t.Context(), "", "", &out))
	for _, line := range []string{"told 5511987654321", "not delivered in", "5521998765432@s.whatsapp.net has read it"} {
		assert.Contains(t, out.String(), line)
	}
}
