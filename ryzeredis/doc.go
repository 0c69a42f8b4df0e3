// Package ryzeredis keeps in Redis what several processes share that use the same
// token of RyzeAPI. It needs Redis 6.2 or newer, or Valkey: a single node, Sentinel
// or Cluster.
//
// [NewLimiter] meters the requests of all processes together, so that they do not
// exceed the quota of their token.
package ryzeredis
