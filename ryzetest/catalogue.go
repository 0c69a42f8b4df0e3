package ryzetest

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// A Case is one fault of the Catalogue.
type Case struct {
	// Name is unique, as "stream/reset PROTOCOL_ERROR/applied".
	Name  string
	Fault Fault
	// Over lists the protocols over which the fault differs from others:
	// "HTTP/1.1", "HTTP/2.0".
	Over []string
}

// The two protocols, as Request.Proto has them.
const (
	http1 = "HTTP/1.1"
	http2 = "HTTP/2.0"
)

// ProxyPage is an HTML page from something in front of the service. It has none
// of the service's headers and uses no quota.
func ProxyPage(status int) Fault {
	text := http.StatusText(status)
	return Fault{
		Status: status, Gateway: true,
		Header: http.Header{"Content-Type": {"text/html; charset=utf-8"}},
		Body:   fmt.Sprintf("<html>\r\n<head><title>%d %s</title></head>\r\n<body><center><h1>%[1]d %s</h1></center></body>\r\n</html>\r\n", status, text),
	}
}

// Catalogue returns every fault of one request that the simulator can play, to
// try a client with all of them. HTTP, proxies and programs can do them; the
// service may never do so. Faults of connections, clocks and rate headers are
// methods of the Server.
//
// Some replies lie: a 429 can come although the request was carried out. A client
// must believe it and sends again. A test that counts messages leaves these out:
// their Fault.Status is 429.
func Catalogue() []Case {
	var b catalogue
	b.connections()
	b.streams()
	b.statuses()
	b.proxies()
	b.redirects()
	b.replies()
	return b
}

type catalogue []Case

func (b *catalogue) add(name string, f Fault, over ...string) {
	if len(over) == 0 {
		over = []string{http1, http2}
	}
	*b = append(*b, Case{name, f, over})
}

// both adds a fault that strikes before the request is processed, and after.
func (b *catalogue) both(name string, f Fault, over ...string) {
	b.add(name, f, over...)
	f.AfterProcess = true
	b.add(name+"/applied", f, over...)
}

func (b *catalogue) connections() {
	b.add("connection/reset before the body was read", Fault{Drop: DropBeforeRead})
	b.add("connection/reset in the body", Fault{Drop: DropAfterRead, Read: 1})
	b.add("connection/reset after the request", Fault{Drop: DropAfterRead})
	b.add("connection/reset after the request/applied", Fault{Drop: DropAfterProcess})
	b.both("connection/silence", Fault{Drop: NeverAnswer})
	b.add("connection/silence in the body", Fault{Drop: NeverAnswer, Read: 1})
	b.both("connection/freeze", Fault{Drop: Freeze})
	b.add("connection/half a reply", Fault{Drop: HalfReply})
	b.add("connection/stalled reply", Fault{Drop: StalledReply})
	b.add("connection/slow reply", Fault{Delay: time.Second})
	b.add("connection/closed after the reply", Fault{Header: http.Header{"Connection": {"close"}}}, http1)
	b.add("connection/end before Content-Length", Fault{Header: http.Header{"Content-Length": {"500"}}, Body: `{"success":true,"data":{"messag`})
}

func (b *catalogue) streams() {
	codes := []H2Code{0xff}
	for code := range H2HTTP11Required + 1 {
		codes = append(codes, code)
	}
	for _, code := range codes {
		name := code.String()
		b.both("stream/reset "+name, Fault{Drop: ResetStream, Code: code}, http2)
		b.add("stream/reset in the body "+name, Fault{Drop: ResetStream, Code: code, Read: 1}, http2)
		b.add("stream/reset in the reply "+name, Fault{Drop: HalfReply, Code: code}, http2)
		before, after := "stream/goaway "+name+" before it, then ", "stream/goaway "+name+" after it, then "
		away := &GoAway{Code: code, LastStream: -1}
		b.add(before+"the end", Fault{GoAway: away, Drop: DropAfterRead}, http2)
		b.add(before+"silence", Fault{GoAway: away, Drop: NeverAnswer}, http2)
		away = &GoAway{Code: code}
		b.add(after+"the end", Fault{GoAway: away, Drop: DropAfterRead}, http2)
		b.add(after+"the end/applied", Fault{GoAway: away, Drop: DropAfterProcess}, http2)
		b.both(after+"silence", Fault{GoAway: away, Drop: NeverAnswer}, http2)
		b.add(after+"the reply", Fault{GoAway: away}, http2)
	}
}

func (b *catalogue) statuses() {
	for _, status := range []int{400, 401, 403, 404, 405, 408, 409, 410, 413, 415, 418, 422, 425, 499, 500, 501, 502, 503, 504, 507, 520, 522, 524, 599} {
		b.both(fmt.Sprintf("status/%d", status), Fault{Status: status, Message: "something went wrong"})
	}
	for _, status := range []string{"000", "099", "101", "102", "199", "600", "999", "1000", "abc"} {
		b.both("status/raw "+status, Fault{RawStatus: status})
	}
	b.both("status/101 on an open connection", Fault{RawStatus: "101", Drop: StalledReply, Header: http.Header{
		"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Content-Length": nil,
	}}, http1)
	b.add("rate/429 of the quota", RateLimited())
	b.add("rate/429 of WhatsApp", Throttled())
	throttled := Throttled()
	throttled.Header = http.Header{"X-RateLimit-Remaining": {"0"}}
	b.add("rate/429 of WhatsApp with nothing remaining", throttled)
	b.add("rate/429 without a text", Fault{Status: 429, Empty: true})
	b.add("rate/429 with Retry-After", Fault{Status: 429, Message: textRateLimit, Header: http.Header{"Retry-After": {"2"}}})
}

// foreignBodies are what programs other than the service say.
var foreignBodies = []struct{ name, kind, body string }{
	{"empty", "text/plain", ""},
	{"plain text", "text/plain", "page not found\n"},
	{"JSON message", "application/json", `{"message":"Not Found"}`},
	{"JSON error text", "application/json", `{"error":"not found"}`},
	{"JSON error object", "application/json", `{"error":{"code":403,"message":"The caller does not have permission"}}`},
	{"JSON problem", "application/problem+json", `{"type":"about:blank","title":"Unavailable","status":503}`},
	{"JSON array", "application/json", `[]`},
	{"JSON null", "application/json", `null`},
	{"JSON text", "application/json", `"unavailable"`},
}

func (b *catalogue) proxies() {
	for _, status := range []int{200, 400, 401, 403, 404, 405, 408, 413, 429, 499, 500, 501, 502, 503, 504, 520} {
		b.both(fmt.Sprintf("proxy/page %d", status), ProxyPage(status))
		if status == http.StatusOK {
			continue
		}
		for _, foreign := range foreignBodies {
			b.both(fmt.Sprintf("proxy/%s %d", foreign.name, status), Fault{
				Status: status, Gateway: true, Body: foreign.body, Empty: foreign.body == "",
				Header: http.Header{"Content-Type": {foreign.kind}},
			})
		}
	}
}

func (b *catalogue) redirects() {
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, to := range []struct {
			name     string
			location []string
		}{
			{"elsewhere", []string{"https://elsewhere.example/login"}},
			{"to the same host", []string{"/login"}},
			{"that does not parse", []string{"http://[::1"}},
			{"to nowhere", nil},
		} {
			b.both(fmt.Sprintf("redirect/%d %s", status, to.name), Fault{
				Status: status, Gateway: true, Empty: true, Header: http.Header{"Location": to.location},
			})
		}
	}
}

// replies are successes that do not look like any that is documented.
func (b *catalogue) replies() {
	for _, success := range []any{1, 0, "true", "ok", nil, map[string]any{}} {
		b.add(fmt.Sprintf("reply/success %#v", success), Fault{Edit: func(r map[string]any) { r["success"] = success }})
	}
	b.add("reply/success missing", Fault{Edit: func(r map[string]any) { delete(r, "success") }})
	b.add("reply/success false", Fault{Edit: func(r map[string]any) { r["success"] = false }})
	for _, status := range []string{"failed", "error", "disconnected", "queued", ""} {
		b.add(fmt.Sprintf("reply/status %q", status), Fault{Edit: func(r map[string]any) { r["status"] = status }})
	}
	b.add("reply/error without success", Fault{Edit: func(r map[string]any) {
		clear(r)
		r["error"] = map[string]any{"message": "not sent"}
	}})
	b.add("reply/all null", Fault{Edit: nullMembers})
	b.add("reply/members all null", Fault{Edit: func(r map[string]any) {
		for name, v := range r {
			if o, ok := v.(map[string]any); ok {
				nullMembers(o)
			} else if name != "success" {
				r[name] = nil
			}
		}
	}})
	b.add("reply/unknown members", Fault{Edit: func(r map[string]any) { r["x"] = map[string]any{"y": []any{1, "z", nil}} }})
	for _, body := range []string{`{}`, `null`, `true`, `1`, `"ok"`, `[]`, ` `, `{`, `{"success":true`, "\ufeff{}", `{"success":true}{"success":true}`, "\x00\xff", "OK"} {
		b.add(fmt.Sprintf("reply/body %q", body), Fault{Body: body})
	}
	b.add("reply/no body", Fault{Empty: true})
	b.add("reply/204", Fault{Status: http.StatusNoContent, Empty: true, AfterProcess: true, Header: http.Header{"Content-Length": nil, "Content-Type": nil}})
	b.add("reply/html", Fault{Body: "<html>ok</html>", Header: http.Header{"Content-Type": {"text/html"}}})
	b.add("reply/deep", Fault{Body: strings.Repeat(`{"data":`, 20000) + "1" + strings.Repeat("}", 20000)})
	b.add("reply/200 MiB", Fault{Padding: 200 << 20})
	for _, status := range []int{403, 502} {
		f := ProxyPage(status)
		f.Padding = 200 << 20
		b.add(fmt.Sprintf("proxy/page %d of 200 MiB", status), f)
	}
}

func nullMembers(o map[string]any) {
	for name := range o {
		o[name] = nil
	}
}
