package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/spf13/cobra"

	ryze "github.com/ryzeapi/ryze-go"
)

// eventNames are the events that the service knows.
var eventNames = []ryze.EventType{
	ryze.EventMessage, ryze.EventReceipt, ryze.EventCall, ryze.EventGroup, ryze.EventInstanceState, ryze.EventLabel,
}

type listenFlags struct {
	forwardTo    string
	anywhere     bool
	like         string
	byEvents     bool
	events       []string
	mediaBase64  bool
	printJSON    bool
	withoutToken bool
	timeout      time.Duration
	retry        []time.Duration
}

func (a *app) listenCommand() *cobra.Command {
	var flags listenFlags
	c := &cobra.Command{
		Use:   "listen [NAME]",
		Short: "Show events as they come, and forward them to a program on this machine",
		Long: `Show the events of an instance as they come, a line each.

With --forward-to each event is posted to a program on this machine, as the
service's webhook would deliver it: the same body and headers, and with
--by-events the name of the event behind the path. The header Authorization has
the value of RYZE_WEBHOOK_AUTHORIZATION. --like takes header, path and choice of
events from a webhook of the instance. Nothing else is reached than this machine,
unless --forward-anywhere allows it; then the instance's token is left out of the
events.

An event that is not answered with a status of 200 to 299 is posted again, with
the pauses of --retry, while later events go on. The service does the same; its
pauses are not documented, and those of ryze are those of ryzesim. While the
program is not running, events wait for it, and come in their order as soon as it
is back. What happened while the stream was down is not delivered, but told.

The event stream of the instance is switched on if it is off, and stays on.

With --print-json: each event as one JSON object a line on standard output, as it
came but without tokens and QR codes; the other lines go to standard error. A hole
of the stream has the event "ryze.gap".`,
		Example: `  ryze listen support-line
  ryze listen support-line --forward-to http://localhost:3000/hook
  RYZE_WEBHOOK_AUTHORIZATION="Bearer secret" ryze listen support-line \
    --forward-to http://localhost:3000/hook --by-events --events message.exchange
  ryze listen support-line --print-json | jq .data`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeName,
		RunE: func(cmd *cobra.Command, args []string) error {
			name, _, err := a.named(args, 0)
			if err != nil {
				return err
			}
			l := &listener{app: a, flags: flags, json: flags.printJSON || a.asJSON}
			if err := l.check(); err != nil {
				return err
			}
			inst, err := a.instance(cmd.Context(), name)
			if err != nil {
				return err
			}
			return l.run(cmd.Context(), inst)
		},
	}
	c.Flags().StringVar(&flags.forwardTo, "forward-to", "", "post each event to this `URL`")
	c.Flags().BoolVar(&flags.anywhere, "forward-anywhere", false, "allow a URL that is not this machine")
	c.Flags().StringVar(&flags.like, "like", "", "forward as the webhook with this `LABEL` does")
	c.Flags().BoolVar(&flags.byEvents, "by-events", false, "append the name of the event to the path")
	c.Flags().StringSliceVar(&flags.events, "events", nil, "only these events (default all)")
	c.Flags().BoolVar(&flags.mediaBase64, "media-base64", false, "have the files in the events; changes the stream's configuration")
	c.Flags().BoolVar(&flags.printJSON, "print-json", false, "print the events as JSON")
	c.Flags().BoolVar(&flags.withoutToken, "without-token", false, "leave the instance's token out of forwarded events, where the service has it")
	c.Flags().DurationVar(&flags.timeout, "timeout", 10*time.Second, "how long to wait for an answer of the program")
	c.Flags().DurationSliceVar(&flags.retry, "retry", []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute},
		"pauses before an event is posted again")
	_ = c.RegisterFlagCompletionFunc("events", cobra.FixedCompletions(texts(eventNames), cobra.ShellCompDirectiveNoFileComp))
	return c
}

func texts[T ~string](values []T) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}

// eventTypes reads names of events.
func eventTypes(names []string) ([]ryze.EventType, error) {
	var types []ryze.EventType
	for _, name := range names {
		if !slices.Contains(eventNames, ryze.EventType(name)) {
			return nil, usage("there is no event %q; the service knows %v", name, eventNames)
		}
		types = append(types, ryze.EventType(name))
	}
	return types, nil
}

// listener is one run of ryze listen.
type listener struct {
	*app
	flags  listenFlags
	json   bool
	events []ryze.EventType // empty for all
	target *target          // nil when nothing is forwarded

	waiting   []*delivery // for another try, the next one first
	held      []*delivery // until the target is there, in order
	down      bool        // nobody listens at the target
	seen      int
	delivered int
	dead      int
	cut       bool            // a delivery was under way at the end
	told      map[string]bool // hints are given once
}

// delivery is an event on its way to the target.
type delivery struct {
	event *ryze.Event
	tries int
	next  time.Time
	held  bool // it was said that it waits
}

func (l *listener) check() (err error) {
	l.told = map[string]bool{}
	if l.events, err = eventTypes(l.flags.events); err != nil {
		return err
	}
	if l.flags.forwardTo == "" {
		if l.flags.like != "" || l.flags.byEvents || l.flags.anywhere {
			return usage("--like, --by-events and --forward-anywhere belong to --forward-to")
		}
		return nil
	}
	if l.flags.timeout <= 0 || slices.ContainsFunc(l.flags.retry, func(d time.Duration) bool { return d < 0 }) {
		return usage("--timeout and --retry want times greater than 0")
	}
	l.target, err = newTarget(l.flags.forwardTo, l.flags.anywhere)
	if err != nil {
		return err
	}
	l.target.byEvents = l.flags.byEvents
	l.target.authorization = ryze.Secret(l.env.getenv(envAuthorization))
	return nil
}

// say prints a line that is no event: beside the events when those are JSON.
func (l *listener) say(format string, args ...any) {
	if l.json {
		l.note(format, args...)
	} else {
		l.tell(format, args...)
	}
}

func (l *listener) run(ctx context.Context, inst *ryze.InstanceClient) error {
	info, err := inst.Info(ctx)
	if err != nil {
		return err
	}
	if l.target != nil {
		if err := l.likeWebhook(ctx, inst); err != nil {
			return err
		}
		if isLoopback(hostOf(l.target.url)) && !l.flags.withoutToken {
			l.target.token, l.target.base = info.Token, l.baseURL()
		}
	}
	if err := l.openStream(ctx, inst); err != nil {
		return err
	}
	open := false
	opts := []ryze.SubscribeOption{ryze.WithStateHandler(func(state ryze.StreamState) {
		switch {
		case state == ryze.StreamReconnecting:
			l.say("%s  -- the stream is down; connecting again", clock(time.Now()))
		case state == ryze.StreamOpen && open:
			l.say("%s  -- the stream is open again", clock(time.Now()))
		}
		open = open || state == ryze.StreamOpen
	})}
	if len(l.events) > 0 {
		opts = append(opts, ryze.WithEvents(l.events...))
	}
	sub, err := inst.Subscribe(ctx, opts...)
	if err != nil {
		return err
	}
	defer func() { _ = sub.Close() }() // it always returns nil
	where := ""
	if l.target != nil {
		where = " Events go to " + shownURL(l.target.url) + "."
	}
	l.say("Listening to %s (%s).%s Ctrl-C ends it.", inst.Name(), stateOf(info), where)
	err = l.loop(ctx, sub)
	l.summary()
	if ctx.Err() != nil {
		return nil // that is how it ends
	}
	return err
}

func stateOf(info *ryze.Instance) string {
	if info.JID != "" {
		return fmt.Sprintf("%s, %s", info.JID.Phone(), info.State)
	}
	return string(info.State)
}

// likeWebhook takes over what a webhook of the instance says.
func (l *listener) likeWebhook(ctx context.Context, inst *ryze.InstanceClient) error {
	if l.flags.like == "" {
		return nil
	}
	hook, err := inst.Webhooks.Get(ctx, l.flags.like)
	if errors.Is(err, ryze.ErrNotFound) && !errors.Is(err, ryze.ErrInstanceNotFound) {
		return &hinted{fmt.Errorf("there is no webhook %q: %w", l.flags.like, err), "ryze webhook " + inst.Name() + " show lists them"}
	}
	if err != nil {
		return err
	}
	l.target.byEvents = l.target.byEvents || hook.ByEvents
	l.target.authorization = cmp.Or(l.target.authorization, hook.Authorization)
	if len(l.events) == 0 {
		l.events = hook.Events
	}
	if hook.MediaBase64 && !l.flags.mediaBase64 {
		l.note("The webhook %q has the files in its events: with --media-base64 these have them, too.", l.flags.like)
	}
	return nil
}

// openStream makes sure that the stream tells what is wanted, and says what it
// has changed.
func (l *listener) openStream(ctx context.Context, inst *ryze.InstanceClient) error {
	config, err := inst.WebSocket.Get(ctx)
	if err != nil && !errors.Is(err, ryze.ErrNotConfigured) {
		return err
	}
	wanted := ryze.WebSocketConfig{MediaBase64: l.flags.mediaBase64}
	if config != nil && config.Enabled {
		if missing := l.missing(config.Events); len(missing) > 0 {
			l.note("The stream's configuration leaves out %v.", missing)
		}
		if config.MediaBase64 || !l.flags.mediaBase64 {
			return nil
		}
		wanted.Events = config.Events
	}
	if _, err := inst.WebSocket.Ensure(ctx, wanted); err != nil {
		return changing(err)
	}
	l.note("The event stream is switched on now, and stays on%s.", map[bool]string{true: ", with the files in its events"}[wanted.MediaBase64])
	return nil
}

// missing are the wanted events that a filter leaves out.
func (l *listener) missing(filter []ryze.EventType) []ryze.EventType {
	if len(filter) == 0 {
		return nil
	}
	var missing []ryze.EventType
	wanted := l.events
	if len(wanted) == 0 {
		wanted = eventNames
	}
	for _, t := range wanted {
		if !slices.Contains(filter, t) {
			missing = append(missing, t)
		}
	}
	return missing
}

const (
	knock   = time.Second // how often a target that is not there is tried
	maxHeld = 10_000      // events that wait for it at most
)

// loop takes the events, and posts again what has failed, until the stream or
// ctx ends.
func (l *listener) loop(ctx context.Context, sub *ryze.Subscription) error {
	for {
		var due <-chan time.Time
		switch {
		case l.down:
			due = time.After(knock)
		case len(l.waiting) > 0:
			due = time.After(time.Until(l.waiting[0].next))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case event, ok := <-sub.Events():
			if !ok {
				return sub.Err()
			}
			if err := l.take(ctx, event); err != nil {
				return err
			}
		case <-due:
			l.again(ctx)
		}
	}
}

// again posts the event whose turn it is.
func (l *listener) again(ctx context.Context) {
	from := &l.waiting
	if l.down {
		from = &l.held
	}
	d := (*from)[0]
	*from = (*from)[1:]
	l.attempt(ctx, d)
}

// take shows an event and forwards it.
func (l *listener) take(ctx context.Context, event *ryze.Event) error {
	if gap, ok := event.Data.(*ryze.GapEvent); ok {
		l.say("%s  -- a gap from %s to %s (%s): events may be missing; read the histories of the chats", clock(time.Now()), clock(gap.From), clock(gap.To), gapText(gap))
		if l.json {
			return l.jsonLine(gapView(gap))
		}
		return nil
	}
	l.seen++
	if l.json {
		if err := l.jsonLine(printable(event)); err != nil {
			return err
		}
	}
	switch d := (&delivery{event: event}); {
	case l.target == nil && !l.json:
		l.tell("%s", describe(event))
	case l.target == nil:
	case l.down:
		l.hold(d, false)
	default:
		l.attempt(ctx, d)
	}
	return nil
}

// hold keeps an event until the target is there. The oldest goes when there are
// too many.
func (l *listener) hold(d *delivery, first bool) {
	if !d.held {
		l.say("%s  → waits for the program", describe(d.event))
	}
	d.held = true
	if first {
		l.held = slices.Insert(l.held, 0, d)
	} else {
		l.held = append(l.held, d)
	}
	if len(l.held) > maxHeld {
		l.held[0] = nil
		l.held = l.held[1:]
		l.dead++
		l.say("%s  -- too many events wait; the oldest is given up", clock(time.Now()))
	}
}

// attempt posts an event once, tells the answer, and puts the event back when it
// has to be posted again.
func (l *listener) attempt(ctx context.Context, d *delivery) {
	limited, cancel := context.WithTimeout(ctx, l.flags.timeout)
	defer cancel()
	start := time.Now()
	status, err := l.target.deliver(limited, d.event)
	took := time.Since(start)
	if ctx.Err() != nil && err != nil {
		l.cut = true
		return
	}
	if l.absent(err) { // nothing has reached it: no try
		l.hold(d, true)
		return
	}
	d.tries++
	answer := fmt.Sprintf("%d", status)
	if err != nil {
		answer = reason(err, l.flags.timeout)
	}
	ok := err == nil && status >= 200 && status < 300
	next := ""
	switch {
	case ok:
		l.delivered++
		if d.tries > 1 {
			next = fmt.Sprintf("  (try %d)", d.tries)
		}
	case d.tries > len(l.flags.retry):
		l.dead++
		next = fmt.Sprintf("  given up after %d tries", d.tries)
	default:
		pause := l.flags.retry[d.tries-1]
		l.wait(d, time.Now().Add(pause))
		next = "  again in " + pause.String()
	}
	l.say("%s  → %s  %s%s", describe(d.event), answer, rounded(took), next)
	l.advise(status)
}

// wait puts an event behind those whose turn comes earlier or at the same time.
func (l *listener) wait(d *delivery, next time.Time) {
	d.next = next
	at, _ := slices.BinarySearchFunc(l.waiting, d, func(a, b *delivery) int { return cmp.Or(a.next.Compare(b.next), -1) })
	l.waiting = slices.Insert(l.waiting, at, d)
}

// absent reports whether nobody listens at the target. It tells when that begins
// and ends; at its end the turn of the events that were held has come.
func (l *listener) absent(err error) bool {
	failed, ok := errors.AsType[*net.OpError](err)
	absent := ok && failed.Op == "dial"
	switch {
	case absent && !l.down:
		l.say("%s  -- %s is not there: %s; events wait for it", clock(time.Now()), shownURL(l.target.url), reason(err, l.flags.timeout))
	case !absent && l.down:
		l.say("%s  -- %s is there again", clock(time.Now()), shownURL(l.target.url))
		now := time.Now()
		for _, d := range l.held {
			l.wait(d, now)
		}
		l.held = nil
	}
	l.down = absent
	return absent
}

// advise says once what an answer may mean.
func (l *listener) advise(status int) {
	advice := ""
	switch {
	case (status == 401 || status == 403) && l.target.authorization == "":
		advice = "No Authorization header was sent: set " + envAuthorization + " to the value that the program expects, or use --like."
	case status == 401 || status == 403:
		advice = "The program does not accept the Authorization header that was sent."
	case status == 404 || status == 405:
		advice = "Check the path of --forward-to, and whether the program wants --by-events."
	case status >= 300 && status < 400:
		advice = "Redirects are not followed: give the address that it names."
	}
	if advice != "" && !l.told[advice] {
		l.told[advice] = true
		l.say("          %s", advice)
	}
}

func (l *listener) summary() {
	if l.target == nil {
		l.note("%s.", plural(l.seen, "event"))
		return
	}
	text := fmt.Sprintf("%s, %d delivered", plural(l.seen, "event"), l.delivered)
	if l.dead > 0 {
		text += fmt.Sprintf(", %d given up", l.dead)
	}
	if n := len(l.waiting) + len(l.held); n > 0 {
		text += fmt.Sprintf(", %d not delivered: they waited for another try", n)
	}
	if l.cut {
		text += ", 1 cut off while the program was at it"
	}
	l.note("%s.", text)
}
