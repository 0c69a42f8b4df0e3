// Package ryzetest is a simulator of RyzeAPI for tests and demonstrations: an
// HTTP and WebSocket server that behaves like the service in every documented
// way, errors, rate limits and event deliveries included, without an account, a
// phone or a network.
//
//	srv := ryzetest.NewServer()
//	defer srv.Close()
//	srv.AddInstance("support").Pair("5511900000001")
//	// point the client at srv.URL with srv.AccountToken
//
// What happens outside the API is played through the Server and its Instances:
// Instance.Pair scans the QR code, Instance.Receive is a customer who writes,
// Server.Fault breaks requests in chosen ways, Server.Advance moves time.
// Afterwards Server.Requests, Instance.Messages and Server.Deliveries tell what
// happened, and Server.Violations what a client got wrong without being told.
//
// With the InMemory option everything works inside a testing/synctest bubble.
//
// Where the service's behaviour is not documented and was never observed, the
// simulator chooses something plain and says so; do not rely on such choices.
// Among them are the texts of validation errors other than the documented ones,
// the schedule of webhook retries and the limits on bodies; the keys of a chat
// in contactsByLabel, the members in a list of groups and the key of a list of
// newsletters; the messageType of contacts, reactions, polls, PIX cards and
// calendar events; the error of a fourth pinned chat; and every key of the
// call.update events of WithCallEvents. The comments of each part name more.
package ryzetest
