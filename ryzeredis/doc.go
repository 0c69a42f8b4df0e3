// Package ryzeredis keeps in Redis what several processes share that use
// RyzeAPI. It needs Redis 6.2 or newer, or Valkey: a single node, Sentinel or
// Cluster.
//
// [NewLimiter] shares the quota of a token, so that all processes together use it
// to the last request and no further. [NewDedupeStore] remembers which events have
// been handled, whichever process they came to. [NewStreams] opens each instance's
// stream in exactly one process.
package ryzeredis
