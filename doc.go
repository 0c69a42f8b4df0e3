// Package ryze is the Go SDK of RyzeAPI, a hosted HTTP API through which
// companies run WhatsApp numbers, called instances. It sends messages, manages
// groups, contacts and webhooks, and streams events.
//
// # Five minutes
//
// An account's token creates instances; each instance has a token of its own
// for the daily work. One [Client] serves any number of both:
//
//	account, err := ryze.AccountFromEnv() // reads RYZE_ACCOUNT_TOKEN
//	if err != nil {
//		return err
//	}
//	created, err := account.CreateInstance(ctx, ryze.CreateInstanceParams{Name: "support-line"})
//	if err != nil && !errors.Is(err, ryze.ErrPartial) { // in part: the instance is there
//		return err
//	}
//	inst := account.InstanceFrom(created) // acts with the instance's own token: keep it
//
//	pairing, err := inst.Connect(ctx, ryze.ConnectParams{})
//	if err != nil {
//		return err
//	}
//	show(pairing) // pairing.QRCode, or pairing.PNG(): somebody scans it
//	info, err := inst.WaitConnected(ctx)
//
// A message is one of the kinds of [Content], sent with options:
//
//	report := ryze.Media{Source: ryze.MediaFile(path), Caption: "As promised"}
//	sent, err := inst.Messages.Send(ctx, to, report, ryze.ReplyTo(id))
//
// Events come over a stream, to a webhook, or by both, in one model. A [Handler]
// takes them from each; this loop takes them from the stream of
// [InstanceClient.Subscribe]:
//
//	for event, err := range sub.All() {
//		if err != nil {
//			return err // the stream has ended for good; outages do not end it
//		}
//		switch data := event.Data.(type) {
//		case *ryze.MessageEvent:
//			err = answer(ctx, data)
//		case *ryze.GapEvent: // the stream was down: read the chats' histories
//			err = catchUp(ctx, data.From, data.To)
//		}
//		if err != nil {
//			return err
//		}
//	}
//
// All of it works without an account against package ryzetest, a simulator of
// the service; in a clone of the repository "go run ./examples/quickstart" shows it.
//
// # What it promises
//
// Never twice: a send is repeated only when it is certain that the first try
// was not accepted. When it is not certain, the error matches
// [ErrOutcomeUnknown] and [MessagesService.Settle] looks for the message.
//
// Never over, never under: the quota of a token is used up to the last request
// and no further, however many goroutines and handles share it. Waiting is
// automatic and ends with the context; see [RateLimitError] and [Limiter].
//
// Never in silence: a stream that had a hole says so with a [GapEvent] in its
// place. Unknown events, fields and values are delivered.
//
// Never leaked: tokens are [Secret], travel in a header to one origin, and
// follow no redirect.
//
// # Errors
//
// Match errors with [errors.Is] and the sentinels of this package. Read them
// with [errors.As]. The service sends texts, not codes; the package knows them.
// [*APIError] is a refusal by the service. [*ValidationError] is an argument
// that was refused before any request. [*RateLimitError] is a wait that would
// be too long. [*OutcomeError] is a call that may have been carried out.
// [*ResponseError] is a reply or an event that cannot be read. [ErrRedirect] is
// a redirect, and [ErrNetwork] is no reply at all. The cause of an error can
// match too. So ask for [ErrOutcomeUnknown] first, or ask [OutcomeOf] whether
// the call was accepted. [RetryAfter] says whether and when to try again.
//
// A call can succeed without a part: a group has no description, or one of
// three members was not added. It then returns its result and a
// [*PartialError], which matches [ErrPartial]. What was created is there, and
// the error holds it: do not create it again.
//
//	crew, err := inst.Groups.Create(ctx, params)
//	if err != nil && !errors.Is(err, ryze.ErrPartial) {
//		return err
//	}
//	use(crew.JID) // the group is there; err may still name what it lacks
//
// # Where to look
//
//   - [Client], [Option], [RetryPolicy], [Limiter]: the engine
//   - [AccountClient]: create, list, get and delete instances
//   - [InstanceClient]: connect, reconnect, log out; the services
//   - [MessagesService], [Content]: send [Text], [Media] and the other kinds
//   - [InstanceClient.Subscribe], [Event]: the event stream
//   - [NewWebhookHandler], [Inbox]: receive webhooks, and both at once
//   - [Handler], [On], [Handlers]: what handles the events of all of them
//   - [WithPriority], [WithReserve], [RateLimit]: the quota
//   - [JID]: addresses of phones, LIDs, groups, channels
//   - [Client.Do]: a route that this package does not know yet
//
// Everything is safe for concurrent use, honours its context and reads at most
// a bounded amount from the network. [FromEnv] and its kin read the environment;
// otherwise only the default transport does, for the system's proxy (HTTPS_PROXY).
// Without a logger the package logs nothing but panics of the application's code.
package ryze
