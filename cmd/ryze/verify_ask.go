package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The SDK reads replies with patience and takes tokens out of events. These questions
// want them as they come, so they are asked without it.

const (
	largestReply = 64 << 20
	abandonAfter = 20 * time.Millisecond // less than a reply of a hosted service takes
)

// question is a request to be made.
type question struct {
	op       string // of the document
	query    url.Values
	body     map[string]any
	instance string  // another than the one that is verified
	token    *string // another than the instance's; "" for none
	abandon  bool    // leave once the request is written, before the reply
}

// reply is what came of it.
type reply struct {
	status int
	header http.Header
	body   []byte
	at     time.Time // in the middle between question and answer
	err    error     // why there is no reply
}

func (r *reply) ok() bool { return r.err == nil && r.status >= 200 && r.status < 300 }

// why says why the reply is no success.
func (r *reply) why() string {
	if r.err != nil {
		return because(r.err)
	}
	return fmt.Sprintf("status %d", r.status)
}

// value is the reply as JSON.
func (r *reply) value() map[string]any {
	var v map[string]any
	_ = json.Unmarshal(r.body, &v) // what is no object has no members
	return v
}

var (
	errBound = errors.New("the bound of requests was reached")
	errQuota = errors.New("the quota is nearly used up, and other programs may need the rest")
)

// count takes one request off the bound.
func (v *verifier) count() error {
	if v.requests >= verifyRequests {
		return errBound
	}
	if n := len(v.rates); n > 0 {
		last := v.rates[n-1]
		left, err := strconv.Atoi(last.remaining)
		if err == nil && left >= 0 && left < verifyReserve && time.Since(last.at) < time.Minute {
			return errQuota
		}
	}
	v.requests++
	return nil
}

func (v *verifier) newRequest(ctx context.Context, q *question) (*http.Request, error) {
	o := v.doc.operations[q.op]
	name := v.name
	if q.instance != "" {
		name = q.instance
	}
	address := strings.TrimSuffix(v.baseURL(), "/") + strings.ReplaceAll(o.path, "{instance}", url.PathEscape(name))
	if len(q.query) > 0 {
		address += "?" + q.query.Encode()
	}
	var body io.Reader
	if q.body != nil {
		text, err := json.Marshal(q.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, o.method, address, body)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("User-Agent", "ryze-cli/verify")
	switch {
	case q.token == nil:
		req.Header.Set("token", v.token.Reveal())
	case *q.token != "":
		req.Header.Set("token", *q.token)
	}
	return req, nil
}

// ask makes one request, and holds the reply against the document. It is not repeated.
func (v *verifier) ask(ctx context.Context, q question) *reply {
	r := &reply{err: v.count()}
	if r.err == nil {
		r = v.exchange(ctx, &q)
	}
	v.record(q.op, r)
	return r
}

func (v *verifier) exchange(ctx context.Context, q *question) *reply {
	ctx, cancel := context.WithTimeout(ctx, 70*time.Second) // the list of groups is slow
	defer cancel()
	if q.abandon {
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) {
			time.AfterFunc(abandonAfter, cancel)
		}})
	}
	req, err := v.newRequest(ctx, q)
	if err != nil {
		return &reply{err: err}
	}
	start := time.Now()
	res, err := v.http.Do(req)
	if err != nil {
		return &reply{err: err}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, largestReply))
	return &reply{res.StatusCode, res.Header, body, start.Add(time.Since(start) / 2), err}
}

// replies are those of one operation.
type replies struct {
	seen  map[int]bool // their statuses
	found []difference
	err   error
}

// record notes a reply, what the document has against it, and its rate headers.
func (v *verifier) record(op string, r *reply) {
	seen := v.replies[op]
	if seen == nil {
		seen = &replies{seen: map[int]bool{}}
		v.replies[op] = seen
		v.order = append(v.order, op)
	}
	if r.err != nil {
		seen.err = r.err
		return
	}
	v.redact.learn(r.body)
	seen.seen[r.status] = true
	o := v.doc.operations[op]
	for _, d := range v.doc.against(o, r.status, r.header, r.body) {
		seen.add(d)
	}
	if _, class := v.doc.get(o.at, "x-ryze-rate-class"); class != "bypass" {
		v.rates = append(v.rates, rateSample{
			limit: r.header.Get("X-RateLimit-Limit"), remaining: r.header.Get("X-RateLimit-Remaining"), reset: r.header.Get("X-RateLimit-Reset"),
			retry: r.header.Get("Retry-After"), date: r.header.Get("Date"), at: r.at, status: r.status,
		})
	}
	for name := range r.header {
		if strings.HasPrefix(name, "X-") && !strings.HasPrefix(name, "X-Ratelimit-") {
			v.extra[name] = true
		}
	}
}

// add notes a difference once.
func (r *replies) add(d difference) {
	text := fmt.Sprint(d...)
	if !slices.ContainsFunc(r.found, func(have difference) bool { return fmt.Sprint(have...) == text }) {
		r.found = append(r.found, d)
	}
}

// joined are differences as one answer; many are cut.
func joined(found []difference) (parts []any) {
	const most = 12
	for i, d := range found {
		if i == most {
			return append(parts, fmt.Sprintf("; and %d more", len(found)-most))
		}
		if i > 0 {
			parts = append(parts, "; ")
		}
		parts = append(parts, d...)
	}
	return parts
}

func (r *replies) answer(op string) answer {
	a := answer{ID: "reply." + op, Text: "Replies of " + op, Verdict: asDocumented}
	switch {
	case len(r.found) > 0:
		a.Verdict, a.parts = isDifferent, joined(r.found)
	case len(r.seen) > 0:
		var statuses []string
		for _, status := range sortedStatuses(r.seen) {
			statuses = append(statuses, strconv.Itoa(status))
		}
		a.parts = []any{strings.Join(statuses, ", ")}
	default:
		a.Verdict, a.parts = isNotSeen, []any{because(r.err)}
	}
	return a
}

func sortedStatuses(seen map[int]bool) (all []int) {
	for status := range seen {
		all = append(all, status)
	}
	slices.Sort(all)
	return all
}

// because says why there is no reply, without the address that errors name.
func because(err error) string {
	switch {
	case err == nil:
		return "it was not asked"
	case errors.Is(err, errBound), errors.Is(err, errQuota):
		return err.Error()
	case errors.Is(err, context.Canceled):
		return "interrupted"
	case errors.Is(err, context.DeadlineExceeded):
		return "no reply in time"
	default:
		return "there was no reply"
	}
}

// askReads asks what changes nothing.
func (v *verifier) askReads(ctx context.Context) {
	number, none := url.Values{"number": {v.flags.to}}, ""
	for _, q := range []question{
		{op: "observability.health", token: &none},
		{op: "instance.list"},
		{op: "instance.settings.get"},
		{op: "instance.metrics"},
		{op: "events.webhook.get"},
		{op: "events.websocket.get"},
		{op: "profile.get_account"},
		{op: "profile.get_privacy"},
		{op: "chat.contacts.list", query: number},
		{op: "chat.tags.list"},
		{op: "groups.list", query: url.Values{"includeMembers": {"false"}}},
		{op: "newsletter.list"},
	} {
		if ctx.Err() != nil {
			return
		}
		v.ask(ctx, q)
	}
	v.askFilter(ctx)
}

// askFilter asks for an instance that there is not, with the token of this one.
func (v *verifier) askFilter(ctx context.Context) {
	const id, text = "instance-filter", "With an instance's own token, whom does the list show when another name is asked for?"
	r := v.ask(ctx, question{op: "instance.list", query: url.Values{"instanceName": {"ryze-verify-" + strings.ToLower(rand.Text()[:8])}}})
	all, _ := r.value()["instances"].([]any)
	switch {
	case r.err != nil:
		v.add(isNotSeen, id, text, because(r.err))
	case r.ok() && len(all) == 1 && member(all[0], "name") == v.name:
		v.add(asDocumented, id, text, "the token's own instance")
	case r.ok():
		v.add(isDifferent, id, text, fmt.Sprintf("%d instances", len(all)))
	default:
		v.add(isDifferent, id, text, fmt.Sprintf("status %d: ", r.status), foreign(errorText(r.body)))
	}
}

// askRefusals asks what the service refuses, and looks at the texts.
func (v *verifier) askRefusals(ctx context.Context) {
	none, wrong := "", "ryze-verify-"+rand.Text()
	nobody := "ryze-verify-" + strings.ToLower(rand.Text()[:8])
	unknown := "3EB0" + strings.ToUpper(rand.Text()[:16])
	for _, thing := range []string{wrong, nobody, unknown} {
		v.redact.keep("word", thing)
	}
	for _, c := range []struct {
		id, text string
		status   []int
		ask      question
	}{
		{"no-token", "A request without a token", []int{401}, question{op: "instance.settings.get", token: &none}},
		{"wrong-token", "A request with a token that there is not", []int{401}, question{op: "instance.settings.get", token: &wrong}},
		{"no-instance", "A request for an instance that there is not", []int{403, 404}, question{op: "instance.settings.get", instance: nobody}},
		{"no-message", "The status of a message that there is not", []int{404}, question{op: "chat.message.status", query: url.Values{"messageId": {unknown}}}},
		{"no-media", "The media of a message that there is not", []int{404}, question{op: "chat.message.media_base64", query: url.Values{"messageId": {unknown}}}},
		{"no-webhook", "A webhook that there is not", []int{404}, question{op: "events.webhook.get", query: url.Values{"label": {nobody}}}},
	} {
		if ctx.Err() != nil {
			return
		}
		r := v.ask(ctx, c.ask)
		text := errorText(r.body)
		answered := []any{fmt.Sprintf("status %d: ", r.status), foreign(text)}
		switch {
		case r.err != nil:
			v.add(isNotSeen, "refusal."+c.id, c.text, because(r.err))
		case !slices.Contains(c.status, r.status) || !v.doc.knowsText(v.doc.operations[c.ask.op], r.status, text):
			v.add(isDifferent, "refusal."+c.id, c.text, answered...)
		default:
			v.add(asDocumented, "refusal."+c.id, c.text, answered...)
		}
	}
}

// rateSample are the rate headers of one reply.
type rateSample struct {
	limit, remaining, reset, retry, date string
	at                                   time.Time
	status                               int
}

// now is the time of the service.
func (s *rateSample) now() time.Time {
	if t, err := http.ParseTime(s.date); err == nil {
		return t
	}
	return s.at
}

// rateAnswers say what the rate headers are.
func (v *verifier) rateAnswers() []answer {
	presence := answer{ID: "rate-headers", Text: "Are there rate headers on every counted reply?", Verdict: asDocumented}
	unit := answer{ID: "rate-reset", Text: "What does X-RateLimit-Reset count?"}
	limit := answer{ID: "rate-limit", Text: "How many requests may a token make in a minute?", Verdict: asDocumented}
	retry := answer{ID: "rate-retry-after", Text: "Is there a Retry-After?", Verdict: isNotSeen, parts: []any{"no request was refused for the quota, and ryze does not use it up"}}
	others := answer{ID: "headers", Text: "Are there X- headers that the document does not have?", Verdict: asDocumented, parts: []any{"none"}}
	if len(v.rates) == 0 {
		for _, a := range []*answer{&presence, &unit, &limit, &others} {
			a.Verdict, a.parts = isNotSeen, []any{"there was no reply"}
		}
		return []answer{presence, unit, limit, retry, others}
	}
	missing := map[string]int{}
	for _, s := range v.rates {
		for name, value := range map[string]string{"X-RateLimit-Limit": s.limit, "X-RateLimit-Remaining": s.remaining, "X-RateLimit-Reset": s.reset} {
			if value == "" {
				missing[name]++
			}
		}
		if s.retry != "" {
			retry.Verdict, retry.parts = isDifferent, []any{fmt.Sprintf("yes, with status %d: ", s.status), foreign(s.retry)}
		} else if s.status == http.StatusTooManyRequests && retry.Verdict == isNotSeen {
			retry.Verdict, retry.parts = asDocumented, []any{"a 429 came without it"}
		}
	}
	for _, name := range sortedKeys(missing) {
		presence.Verdict = isDifferent
		if presence.parts != nil {
			presence.parts = append(presence.parts, "; ")
		}
		presence.parts = append(presence.parts, fmt.Sprintf("%s is missing on %d of %d replies", name, missing[name], len(v.rates)))
	}
	unit.Verdict, unit.parts = resetForm(v.rates)
	switch n, err := strconv.Atoi(v.rates[0].limit); {
	case v.rates[0].limit == "":
		limit.Verdict, limit.parts = isNotSeen, []any{"X-RateLimit-Limit is missing"}
	case err != nil:
		limit.Verdict, limit.parts = isDifferent, []any{foreign(v.rates[0].limit)}
	default:
		limit.parts = []any{n}
		if n != 100 {
			limit.Verdict = isDifferent
		}
	}
	if len(v.extra) > 0 {
		others.Verdict, others.parts = isDifferent, nil
		for i, name := range sortedKeys(v.extra) {
			if i > 0 {
				others.parts = append(others.parts, ", ")
			}
			others.parts = append(others.parts, fieldName(name))
		}
	}
	return []answer{presence, unit, limit, retry, others}
}

// resetForm tells what X-RateLimit-Reset is, by all samples: one alone may mislead.
func resetForm(samples []rateSample) (verdict string, parts []any) {
	const window = 90 * time.Second // a minute, and clocks that differ a little
	forms := []struct {
		name string
		fits func(s rateSample, n int64, isNumber bool) bool
	}{
		{"Unix seconds", func(s rateSample, n int64, ok bool) bool { return ok && time.Unix(n, 0).Sub(s.now()).Abs() <= window }},
		{"Unix milliseconds", func(s rateSample, n int64, ok bool) bool { return ok && time.UnixMilli(n).Sub(s.now()).Abs() <= window }},
		{"the seconds that are left", func(_ rateSample, n int64, ok bool) bool { return ok && n >= 0 && n <= 60 }},
		{"the milliseconds that are left", func(_ rateSample, n int64, ok bool) bool { return ok && n >= 0 && n <= 60_000 }},
		{"a date of RFC 3339", func(s rateSample, _ int64, _ bool) bool {
			_, err := time.Parse(time.RFC3339, s.reset)
			return err == nil
		}},
		{"a date as in the header Date", func(s rateSample, _ int64, _ bool) bool { _, err := http.ParseTime(s.reset); return err == nil }},
	}
	var shown string
	for i, form := range forms {
		fits, seen := true, false
		for _, s := range samples {
			if s.reset == "" {
				continue
			}
			seen, shown = true, s.reset
			n, err := strconv.ParseInt(s.reset, 10, 64)
			fits = fits && form.fits(s, n, err == nil)
		}
		switch {
		case !seen:
			return isNotSeen, []any{"X-RateLimit-Reset is missing"}
		case fits && i == 0:
			return asDocumented, []any{form.name}
		case fits:
			return isDifferent, []any{form.name}
		}
	}
	return isDifferent, []any{"none of the known forms, such as ", foreign(shown)}
}

// unasked are questions that are open, and that ryze does not ask.
func (v *verifier) unasked() []answer {
	return []answer{
		{ID: "history-on-connect", Text: "What does connect with history do to a connected instance?", Verdict: isNotSeen, parts: []any{"it may restart the session, which ryze does not risk"}},
		{ID: "largest-media", Text: "How large may a media be?", Verdict: isNotSeen, parts: []any{"it wants large messages"}},
		{ID: "taps", Text: "What do taps on buttons, lists and carousels look like?", Verdict: isNotSeen, parts: []any{"it wants a hand on the other phone: tap while ryze listen --print-json runs"}},
	}
}
