// Package ryzetest is a simulator of RyzeAPI for tests and demonstrations. It
// is an HTTP and WebSocket server that behaves like the service in every
// documented way, with its errors, rate limits and event deliveries. It needs
// no account, no phone and no network. Any client can be tested with it; the
// command ryzesim serves clients in other languages.
//
// # Quick start
//
//	func TestOrderIsConfirmed(t *testing.T) {
//		srv, shop, httpClient := ryzetest.New(t) // shop is paired with a phone
//		client, err := ryze.NewInstanceClient(shop.Name(), shop.Token(),
//			ryze.WithBaseURL(srv.URL), ryze.WithHTTPClient(httpClient))
//		// ... give the client to the code under test, let it work, then:
//		assert.Equal(t, "Your order is on its way", shop.Sent()[0].Text)
//	}
//
// [New] closes the server when the test ends, and fails the test if a request
// then has had a [Violation]. [NewServer] leaves both to the test, and [Start] is
// for programs.
//
// A [Server] has one account, whose token is AccountToken; AddAccount makes more.
// An [Instance] is one WhatsApp connection, and the phone behind it. Instances
// come from requests or from AddInstance; they are not connected before they are
// paired.
//
// What happens outside the API is played through methods: [Instance.Pair] scans
// the code, [Instance.Receive] is a customer who writes, [Server.Fault] breaks
// requests, [Server.Advance] moves time. Afterwards [Server.Requests],
// [Instance.Messages], [Instance.Chat] and [Server.Deliveries] tell what happened.
//
// # In memory, in a synctest bubble
//
// With [InMemory] the server uses no socket, so that it works inside a
// testing/synctest bubble, where every wait is over at once: a full rate window,
// the pauses of a retry, receipts. The client has to be given
// [Server.HTTPClient], and the server has to be closed before the bubble ends:
//
//	synctest.Test(t, func(t *testing.T) {
//		srv := ryzetest.NewServer(ryzetest.InMemory())
//		defer srv.Close()
//		client, err := ryze.New(ryze.WithBaseURL(srv.URL), ryze.WithHTTPClient(srv.HTTPClient()))
//		use(client)
//		time.Sleep(time.Minute) // costs nothing
//	})
//
// No goroutine is left after Close: synctest fails a test that leaks one.
//
// # The virtual clock
//
// What the server plays runs on a clock of its own, which starts at the real
// time (or that of the bubble): rate windows, QR codes, receipts, the delay of
// a message or of a fault, webhook retries. [Server.Advance] moves it forward
// and runs what falls due on the way, so that a test without synctest need not
// wait either. It does not move the client's time: a client sleeps on until the
// reset of its rate limit. It does not move the network's time either, which
// limits an attempt to deliver. WithClockSkew shows clients a time that is
// wrong, or the times of several servers that differ; [Server.SetClockSkew] is
// a step of their clocks. WithReset and WithRetryAfter write times in other
// forms than the documented one.
//
// # People who write and tap
//
// [Instance.Receive] takes an [Incoming]: text, media, a location, a contact
// card, a poll, a reaction, an edit or a message taken back. It can also be an
// [Answer]: a tap on a button, a list or a carousel, or a filled form. Its
// Patch writes into the event what the simulator does not play. TypeOnPhone is
// a human who writes on the instance's own phone, Vote answers a poll, Receipt
// plays any receipt, SetDelivery says when the usual ones come. AddContact
// gives people names and LIDs, SetUnreachable takes their WhatsApp away.
//
// AddGroup, AddCommunity and AddNewsletter make what others have made; the
// methods of [Group] and [Newsletter] play what others do there. Disconnect,
// Reconnect, Ban and LogOutFromPhone play the connection.
//
// # Webhooks and streams
//
// Events go to webhooks and WebSocket streams that were configured through the
// API, as with the service. A webhook reaches loopback addresses only, unless
// WithWebhookClient sends it elsewhere; WithWebhookHandler hands every delivery
// to an http.Handler without any network. [Server.Deliveries] lists the attempts,
// [Server.DeadLetters] what was given up. DropWebSockets, FreezeWebSockets and
// Restart break streams.
//
// A receiver can be tested without a server: [Events] makes the events, [Deliver]
// posts them to a handler.
//
// # Two layouts
//
// The running service sends message.exchange in another shape than its
// documentation shows. [LayoutLive] is the default, [LayoutDocumented] the
// other; WithLayout chooses. Code that receives events should pass with both.
//
// # Faults
//
// [Server.Fault] queues faults for a route ("messages.text", or its method and
// path as in [Routes]) or for any ("*"). A [Fault] answers with a status, a body
// or headers of the test's choosing, late, or not at all. Its Drop says when the
// connection dies: before the request was read, before it was processed, or
// after, when the message is sent and the client cannot know. Edit, Padding, Empty
// and RawStatus bend a reply. [RateLimited] and [Throttled] are the two kinds of
// 429, [ProxyPage] is the answer of something in front of the service. [Catalogue]
// lists every fault of one request, to try a client with all of them. RefuseConnections is nobody listening,
// Eat and SetStranger are other programs that spend the same quota, FailWhatsApp
// is WhatsApp refusing an operation.
//
// # HTTP/2
//
// With [WithTLS] the server is reached over https and speaks HTTP/2, and HTTP/1.1
// with clients that do not offer it. It works in memory too. The client is
// [Server.HTTPClient], which trusts the certificate, or any that was told about
// [Server.Certificate]:
//
//	srv := ryzetest.NewServer(ryzetest.WithTLS())
//	client, err := ryze.New(ryze.WithBaseURL(srv.URL), ryze.WithHTTPClient(srv.HTTPClient()))
//
// A request can then end with an RST_STREAM of any code (ResetStream), or in
// the middle of its reply (HalfReply with a Code). It can end with a GOAWAY
// before or after it ([GoAway]), or on a connection that freezes (Freeze). Over
// HTTP/1 each of them becomes the nearest thing. [Request] says over which
// protocol and connection a request came.
//
// Connections go wrong without a request too: [Server.FaultConnections] breaks new
// ones, [Server.ResetReused] those used before, as the next request comes;
// [Server.CloseIdleConnections] and [Server.FreezeConnections] do what they say.
//
// # The page, and tests in other languages
//
// [WithControl] serves a page under /_sim/ that looks like a phone: people chat on it
// with the program under development, see its requests and what is wrong with them,
// and break things with a switch. Whatever the page does is HTTP and JSON under
// /_sim/api, for tests in any language; /_sim/openapi.yaml describes it, and
// [ControlRoutes] lists it. A test in Python:
//
//	play("instances/shop/receive", {"from": "5511987654321", "text": "Hello"})
//	assert chat("shop", "5511987654321")[-1]["text"] == "What may it be?"
//
// It plays what the methods of this package play: pair, receive, type, vote, receipt,
// contacts, groups, faults, the clock. It shows chats with what can be tapped in them,
// requests with the advice of each [Violation], deliveries of webhooks and of event
// streams. /_sim/api/changes is [Server.Changes] as server-sent events, and
// /_sim/api/reset starts afresh between two tests.
//
// It is off by default. It answers to its own origin only, under names that nobody
// else can point at it, and takes changes as application/json only. A server that
// others can reach does not start without a token. Its requests are neither counted
// in rate windows nor logged.
//
// # A state that stays
//
// [Server.Save] writes what a server knows: instances with their tokens, messages
// with media, contacts, groups, rate windows, the offset of the clock. WithState
// begins with it. Options, faults and logs belong to one run and are left out.
//
// # Violations
//
// The service may ignore fields and parameters that it does not document; see
// docs/service-notes.md. The simulator ignores them, and notes a [Violation]: an
// undocumented field, a value outside its enumeration, a token in a URL. Its
// Advice says what to write instead. A test of a client should end with an empty
// [Server.Violations].
//
// # What is invented
//
// Where nothing is known of the service, the simulator chooses something plain. Do
// not rely on these choices: a client that needs one of them needs a guess about
// the service.
//
// Of requests in general:
//
//   - the order of the checks (rate limit, route, token, instance, body), the
//     replies to unknown routes and methods (404, 405) and the limits on bodies
//     with their 413;
//   - the moment in which a rate window opens: with the first request counted,
//     cut to the second;
//   - the texts of validation errors other than the documented ones, and the
//     literals of many successes, in the settings of proxy and S3, of groups and
//     of sends above all;
//   - the Access-Control headers, and the status and text for a refused Origin.
//
// Of HTTP/2: that the service speaks it. Of plans without a limit: that there are any,
// and that their headers say -1. Every fault but the two kinds of 429 is what
// HTTP, proxies and programs can do, not what the service does.
//
// Of instances: where the chatwoot block of a creation stands, and that it is there only
// when it was asked for; that an attempt to pair shows six QR codes, and that a pairing
// code lives two minutes; the time that a reconnect takes; the number of the
// phone that pairs without one; the reply of a connect with a pairing code; keys
// of the blocks in the list of instances; the types in the metrics; when receipts
// come; that old messages come as ordinary message.exchange events.
//
// Of messages: the members of a send's data beside messageId and timestamp; the
// messageType of contacts, reactions, polls, PIX cards and calendar events; the
// refusals of a group; the 400 for a quote of an unknown message and for a number
// without WhatsApp; which durations a pinned message takes, and its default of 7
// days; the texts of favorites; that poll votes list every option
// and forget a withdrawn vote; that a presence is taken back by the simulator
// after the duration, 10 s by default, and the empty reply to it; the error of a
// fourth pinned chat; the push_name of a contact beside its first_name; the keys
// of a chat in contactsByLabel, and both its filters together.
//
// Of groups, communities and newsletters: the members in a list of groups; that
// the result of a change names no participant; which people can be added, and
// that others are left out of a creation in silence; where the results of a
// community's creation stand; success false when no group could be linked; the
// key "channels" of a list of newsletters, its content, and the key of a
// picture; the reply to leaving a newsletter that is not followed.
//
// Of calls, profiles and Chatwoot: that a call answers before the ringing is
// over; every key of the call.update events of WithCallEvents; the texts of the
// profile routes; the required fields of the Chatwoot integration.
//
// Of events: everything in the live layout of which no capture exists (edits,
// revokes, quotes, reactions, polls, contacts, locations, groups and the
// recipient), where the keys are guesses; the values that a
// group.flow carries beside its type and participants; instance.state beyond
// the state itself; the schedule, number and time limit of webhook attempts, the
// User-Agent, and that other events overtake a failed one; that an omitted field
// of a webhook keeps its value; what a stream does with a client that does not
// read (cut after 4096 frames), and that a filter changed while it is open holds for
// it from then on, as "disabled" does (which filter an open stream has is
// unknown, and no client may rely on either); the close code 1001 of a deleted instance.
//
// The comment of each part names its own.
package ryzetest
