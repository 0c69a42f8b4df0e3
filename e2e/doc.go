// Package e2e tests the page of the simulator in a real browser: Debian's
// Chromium, driven over its own protocol. Everything else is in the tests.
package e2e
