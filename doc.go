// Package ryze is the official Go SDK of RyzeAPI.
package ryze
