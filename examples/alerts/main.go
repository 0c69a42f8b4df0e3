// Command alerts wakes the person on call. It takes the webhooks of Prometheus'
// Alertmanager, makes one message of the alerts that belong together, and calls the
// next person when one is not reached or does not answer.
//
//	go run ./examples/alerts
//
// plays a night against a simulator. With a number of yours (RYZE_INSTANCE and
// RYZE_INSTANCE_TOKEN) and a password (ALERTS_TOKEN) it serves:
//
//	go run ./examples/alerts -listen localhost:9095 -people 5511987654321,5521998765432
//
// and Alertmanager is told
//
//	receivers: [{name: phone, webhook_configs: [{url: "http://localhost:9095/alerts",
//	  http_config: {authorization: {credentials: <ALERTS_TOKEN>}}}]}]
//
// To read a message, to react to it or to quote it is to take the incident. Whoever
// has switched read receipts off reacts.
package main

import (
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
)

func main() {
	listen := flag.String("listen", "localhost:9095", "address to serve on")
	people := flag.String("people", "", "whom to call, one after another: numbers with country code")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := start(ctx, *listen, *people, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "alerts:", err)
		os.Exit(1)
	}
}

// notification is what Alertmanager posts.
type notification struct {
	GroupKey    string            `json:"groupKey"`
	GroupLabels map[string]string `json:"groupLabels"`
	Alerts      []struct {
		Status      string            `json:"status"` // firing or resolved
		Fingerprint string            `json:"fingerprint"`
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
	} `json:"alerts"`
}

type gateway struct {
	inst   *ryze.InstanceClient
	people []ryze.JID
	token  ryze.Secret
	log    *log.Logger

	gather  time.Duration // alerts of one group into one message
	deliver time.Duration // a phone that is on gets it in this time
	answer  time.Duration // and somebody who is awake reads it in this

	receipts ryze.Receipts // also those that are faster than the reply of their send
	running  sync.WaitGroup

	mu        sync.Mutex
	incidents map[string]*incident // by the key of the group
	about     map[string]message   // by the id of the message
}

// message tells an incident as it was at one time.
type message struct {
	in      *incident
	version int
	to      ryze.JID
}

// incident is a group of alerts. What is taken is a version of it: an alert that comes
// later has to be taken, too.
type incident struct {
	name     string
	critical bool
	firing   map[string]string // by fingerprint
	version  int               // counts the alerts
	taken    int               // the newest version that somebody knows of
	told     []ryze.JID
	changed  chan struct{} // closed, and replaced, at each change
}

func (in *incident) over() bool  { return len(in.firing) == 0 }
func (in *incident) quiet() bool { return in.over() || in.taken == in.version }

func (in *incident) change() {
	close(in.changed)
	in.changed = make(chan struct{})
}

// serve takes alerts until ctx ends. What it holds is in memory: after a restart
// Alertmanager tells what still fires, at its repeat_interval.
func (g *gateway) serve(ctx context.Context) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Bearer "+g.token.Reveal())) != 1 {
			http.Error(w, "wrong token", http.StatusUnauthorized)
			return
		}
		var n notification
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&n); err != nil || n.GroupKey == "" {
			http.Error(w, "not a notification of Alertmanager", http.StatusBadRequest)
			return
		}
		if !g.take(ctx, n) {
			http.Error(w, "too many incidents", http.StatusServiceUnavailable) // Alertmanager asks again
		}
	})
}

// take is told the same again and again: Alertmanager repeats, and often there are
// two. Only what is new makes a message.
func (g *gateway) take(ctx context.Context, n notification) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	in := g.incidents[n.GroupKey]
	if in == nil {
		if len(g.incidents) == 1000 {
			return false
		}
		in = &incident{name: cmp.Or(n.GroupLabels["alertname"], n.GroupKey), firing: map[string]string{}, changed: make(chan struct{})}
	}
	for _, alert := range n.Alerts {
		_, known := in.firing[alert.Fingerprint]
		switch {
		case alert.Status == "resolved":
			delete(in.firing, alert.Fingerprint)
		case !known:
			in.firing[alert.Fingerprint] = cmp.Or(alert.Annotations["summary"], alert.Annotations["description"], alert.Labels["instance"], "firing")
			in.critical = in.critical || alert.Labels["severity"] == "critical"
			in.version++
		}
	}
	switch known := g.incidents[n.GroupKey] != nil; {
	case in.over():
		delete(g.incidents, n.GroupKey)
	case !known && ctx.Err() == nil:
		g.incidents[n.GroupKey] = in
		g.running.Go(func() { g.follow(ctx, in) })
	}
	in.change()
	return true
}

// follow calls one person after another, round and round, until somebody takes it.
func (g *gateway) follow(ctx context.Context, in *incident) {
	for ctx.Err() == nil {
		g.until(ctx, in, g.gather, in.over)
		for turn := 0; ctx.Err() == nil && !g.until(ctx, in, 0, in.quiet); turn++ {
			id, version := g.tell(ctx, in, g.people[turn%len(g.people)])
			news := func() bool { return in.quiet() || in.version != version }
			switch {
			case id == "" && turn%len(g.people) < len(g.people)-1: // the next one, at once
			case id == "": // nobody could be told: the network, most likely
				g.until(ctx, in, g.deliver, news)
			case g.until(ctx, in, g.deliver, func() bool { return news() || g.reached(id) }) || g.ask(ctx, id):
				g.until(ctx, in, g.answer, news)
			default:
				g.log.Printf("%s: not delivered in %s.", in.name, g.deliver)
			}
			if g.until(ctx, in, 0, news) {
				turn-- // who was told the beginning is told the rest
			}
		}
		g.until(ctx, in, 1<<62, func() bool { return in.over() || !in.quiet() })
		if g.until(ctx, in, 0, in.over) {
			g.resolve(ctx, in)
			return
		}
	}
}

// until waits for something to become true of an incident, and says whether it is.
func (g *gateway) until(ctx context.Context, in *incident, patience time.Duration, is func() bool) bool {
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		g.mu.Lock()
		yes, changed := is(), in.changed
		g.mu.Unlock()
		if yes || patience == 0 {
			return yes
		}
		select {
		case <-changed:
		case <-late.C:
			patience = 0
		case <-ctx.Done():
			return false
		}
	}
}

// tell returns the id of the message, or none when it was not sent, or perhaps not:
// then the next person is called, and in the worst case two know.
func (g *gateway) tell(ctx context.Context, in *incident, to ryze.JID) (id string, version int) {
	g.mu.Lock()
	version = in.version
	text := fmt.Sprintf("*%s*: %d firing\n%s", in.name, len(in.firing), strings.Join(sorted(in.firing), "\n"))
	if in.critical { // it does not wait for quota behind anything else
		ctx = ryze.WithPriority(ctx, ryze.PriorityHigh)
	}
	g.mu.Unlock()
	sent, err := g.inst.Messages.SendText(ctx, to, text)
	if err != nil {
		g.log.Printf("%s: %s was not told (%v): %v", in.name, to, ryze.OutcomeOf(err), err)
		return "", version
	}
	g.log.Printf("%s: told %s.", in.name, to)
	g.mu.Lock()
	in.told = append(slices.DeleteFunc(in.told, func(who ryze.JID) bool { return who == to }), to)
	g.about[sent.ID] = message{in: in, version: version, to: to}
	g.mu.Unlock()
	g.progress(g.receipts.Sent(sent.ID))
	return sent.ID, version
}

func sorted(firing map[string]string) (lines []string) {
	for _, line := range firing {
		lines = append(lines, "- "+line)
	}
	slices.Sort(lines)
	return lines
}

func (g *gateway) reached(id string) bool {
	return g.receipts.Status(id, "").Rank() >= ryze.StatusDelivered.Rank()
}

// ask asks the service, in case the stream had a hole where the receipt was.
func (g *gateway) ask(ctx context.Context, id string) (delivered bool) {
	status, err := g.inst.Messages.DeliveryStatus(ctx, id)
	if err != nil {
		return false
	}
	if status.Status.Rank() >= ryze.StatusRead.Rank() {
		g.taken(id)
	}
	return status.Status.Rank() >= ryze.StatusDelivered.Rank()
}

// events is for the stream of the instance.
func (g *gateway) events() ryze.Handler {
	return ryze.Handlers(
		ryze.On(func(_ context.Context, _ *ryze.Event, receipt *ryze.ReceiptEvent) error {
			g.progress(g.receipts.Observe(receipt))
			return nil
		}),
		ryze.On(func(_ context.Context, _ *ryze.Event, m *ryze.MessageEvent) error {
			switch {
			case m.Direction != ryze.DirectionIncoming:
			case m.Reaction != nil && !m.Reaction.Removed():
				g.read(m, m.Reaction.TargetID)
			case m.Reply != nil:
				g.read(m, m.Reply.MessageID)
			}
			return nil
		}),
	)
}

// read is for whoever reacts to a message or quotes it, and so has read it. It may be
// faster than the reply of the send, as receipts may.
func (g *gateway) read(m *ryze.MessageEvent, id string) {
	g.progress(g.receipts.Observe(&ryze.ReceiptEvent{
		MessageIDs: []string{id}, Status: ryze.StatusRead, Timestamp: m.Timestamp, Chat: m.Chat, Recipient: m.Sender.JID,
	}))
}

func (g *gateway) progress(updates []ryze.ReceiptUpdate) {
	for _, u := range updates {
		if u.Status.Rank() >= ryze.StatusRead.Rank() {
			g.taken(u.MessageID)
			continue
		}
		g.mu.Lock()
		if m, ours := g.about[u.MessageID]; ours {
			m.in.change()
		}
		g.mu.Unlock()
	}
}

func (g *gateway) taken(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if m, ours := g.about[id]; ours && m.version > m.in.taken {
		g.log.Printf("%s: %s has read it.", m.in.name, m.to)
		m.in.taken = m.version
		m.in.change()
	}
}

// resolve tells those who were woken.
func (g *gateway) resolve(ctx context.Context, in *incident) {
	g.mu.Lock()
	for id, m := range g.about {
		if m.in == in {
			delete(g.about, id)
		}
	}
	told := in.told
	g.mu.Unlock()
	for _, who := range told {
		if _, err := g.inst.Messages.SendText(ryze.WithPriority(ctx, ryze.PriorityLow), who, "*"+in.name+"*: resolved"); err != nil {
			g.log.Printf("%s: %s does not know that it is resolved: %v", in.name, who, err)
		}
	}
}
