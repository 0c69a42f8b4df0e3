// Package ryzeredis shares between processes what package ryze shares between
// goroutines, on Redis 6.2 and newer or Valkey, as a single node, with Sentinel, or
// as a cluster.
package ryzeredis
