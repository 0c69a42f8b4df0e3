// Package ryzeredis keeps in Redis what several processes share that use
// RyzeAPI. It needs Redis 6.2 or newer, or Valkey: a single node, Sentinel or
// Cluster. For [ChatLocks] Redis must not evict keys: set maxmemory-policy to noeviction.
//
//   - [NewLimiter] shares the quota of a token among all processes.
//   - [NewDedupeStore] remembers which events were handled, in any process.
//   - [NewStreams] opens each instance's stream in exactly one process.
//   - [NewChatLocks] lets one process at a time handle a chat, in order.
//
// No token, no address and no text of a message is in Redis: keys are digests.
// A limiter's window is one key. A [Streams], and a [ChatLocks], has its keys
// in one slot of a cluster. Keys of a [DedupeStore] are in all slots.
// Everything is safe for concurrent use.
//
// # Quota
//
// A process leases a few requests at a time while it is busy, and few or none
// near the end of a window. Unused ones go back after a fifth of a second. The
// requests of a dead process come back after five seconds: the next reply, or
// one request that asks, tells how many were used. A process that was paused
// for that long does not use its old ones.
//
// Higher priorities go first in all processes. Among equals the earliest call
// of each process is compared. A process that gets several requests at once may
// serve a call that came a little later than another process's call.
// [ryze.WithReserve] counts for all processes together. The last requests of a
// window are not spaced out.
//
// A waiting process is woken by a message of Redis, or by its own timer when
// the window turns. It also asks once a second.
//
// When Redis fails, or does not answer within the patience ([WithPatience]), a
// window in memory takes over, also for waiting calls. It does not know of
// other processes. So the service may refuse some requests with a 429, which
// the client repeats. Redis is tried four times a second. When it is back, it
// learns what was used and what the service said, and waiting calls go on
// there. No call fails because of Redis, unless [WithoutFallback] is given.
// It is the same until Sentinel or the cluster has promoted a replica.
//
// A key holds a SHA-256 of the window's scope, which is itself a digest of the
// token. A token has too much entropy to be guessed, so the digest needs no
// secret. A key expires ten minutes after its window.
//
// # Locks of chats
//
// A waiting event has a ticket in Redis, in the line of each of its keys.
// Tickets are in the order in which they reached Redis, over all processes. A
// free chat is locked in one round trip, and unlocked in one.
//
// A process has one lease for all its locks and places ([WithChatLockLease]).
// It renews the lease three times in that time. When a process dies, its locks
// and places end after the lease, and up to a second more until others notice.
//
// A process may be paused, or may not reach Redis. It has lost its locks when
// four fifths of the lease have passed, by the clock of its own machine. No
// other process can have them before that.
//
// While Redis is away, Lock waits for it, as long as its context allows. Its
// error then matches [ErrUnavailable]. Held locks stay for as long as the lease
// surely holds.
//
// A Redis that has restarted, or a promoted replica, may have forgotten the
// last locks. It grants none for the length of a lease; holders and waiting
// events register again meanwhile. A new Redis does the same: the first lock
// waits that long.
//
// A waiting process is woken by a message of Redis. If that is lost, it asks
// again within a second. Applications that are too large for one node use
// several prefixes ([WithPrefix]), each with its own instances. The locks have
// goroutines and a connection of their own while they are used, and up to a
// lease longer.
//
// # Streams
//
// Rendezvous hashing over the living workers decides who holds an instance:
// when a worker joins or leaves, only its share moves. A worker that leaves
// hands over at once. The instances of a dead worker are free after the lease
// ([WithStreamLease]). They open elsewhere within two leases, 20 seconds by
// default, if their number and [WithOpenRate] allow it.
//
// A holder may be paused, or may not reach Redis. It delivers nothing more when
// four fifths of the lease have passed since its last renewal, by the clock of
// its own machine. It looks before each event, and the context of a running
// handler ends.
//
// The lease says until when everything was handled. The next holder first
// delivers a [ryze.GapEvent] that begins there.
//
// While Redis is away, holders keep their streams for as long as their leases
// surely hold, then close them. The streams come back by themselves. A Redis
// that has restarted, or a promoted replica, grants no lease for the length of
// one. A new Redis does the same.
package ryzeredis
