// Package outbox sends WhatsApp messages once each, through crashes of anything. An
// application hands a message over with a key. When Add has returned, the message is
// on disk and will be sent, or its entry says why it was not.
//
//	o, err := outbox.OpenSQLite("outbox.db", func(ctx context.Context, instance string) (*ryze.InstanceClient, error) {
//		return client.Instance(instance, token), nil
//	})
//	go o.Run(ctx)
//	entry, err := o.Add(ctx, outbox.Message{Key: "order-4711", Instance: "shop", To: to, Content: ryze.Text("Thank you")})
//
// # Stores
//
// [OpenSQLite] keeps everything in one file of the program's own; one process has it
// at a time. [OnPostgres] lets any number of processes share the work, and
// [Outbox.AddTx] takes a message in the application's own transaction, together with
// the order that it confirms.
//
// River (riverqueue.com) is the engine: it stores jobs, schedules and orders them,
// and wakes workers. A job says only whose turn it is. The record of the entry
// decides what is done, so a job that runs twice does no harm.
//
// # Never twice
//
// Before a request leaves, its entry is sending, on disk, with a source label of its
// own. [ryze.OutcomeOf] tells what its end means. What was certainly not accepted
// goes back into the queue, or has failed for good. Anything else is unknown, and so
// is what a crash has left in sending: it is looked for with
// [ryze.MessagesService.Find] until the patience is over ([WithPatience]). Then it is
// sent again if the application has chosen that ([WithResendWhenNotFound]); otherwise
// it stays unknown until somebody has looked ([Outbox.Resolve]). Give
// [Outbox.Observe] the events of the instance: an echo settles an unknown message at
// once, and receipts tell when it was delivered and read.
//
// The states and what leads from one to the next stand at [State].
//
// # Order
//
// Messages to one recipient are sent in the order in which they were added, whatever
// their priority, one at a time. One with a NotBefore takes its place when that has
// come. One that waits for another try holds up those behind it. An unknown one does
// so only if it may be sent again. Across recipients the higher priority goes first,
// and what is above [ryze.PriorityNormal] has workers of its own. That also overtakes
// what [WithPacing] holds for the same recipient.
//
// # Costs
//
// An Add is a transaction of two rows. On a machine of two cores under heavy load,
// beside a bare insert with a transaction of its own in the same run: SQLite 150 to
// 220 a second to 320 to 500; PostgreSQL, with five round trips, 29 to 32 a second to
// 89 to 105. Look for your own figures:
//
//	go test -run '^$' -bench Add -benchtime 500x -count 3 .
//
// Nothing is kept in memory of what is queued: with 100,000 messages of an instance
// that cannot send, a running outbox had 0.5 MiB of heap more.
//
//	go test -run '^$' -bench Queued100000 -benchtime 1x .
//
// # Limits
//
// A look cannot tell apart messages of similar texts to one recipient that are all
// unknown at the same time; an echo can.
//
// The clocks of processes that share a database must agree within some seconds.
// A process can be stopped between writing down and sending, for longer than a
// send may take. It could then send what another process has given up. No lease
// prevents that. After a crash on PostgreSQL a message is looked for when the
// time that its send could have taken is over, 75 seconds for a text; on SQLite
// at once. River moves scheduled jobs every five seconds, so a pause may be
// that much longer.
package outbox
