//go:build !linux

package redistest

import "os/exec"

// Elsewhere only the end of the test ends the server.
func dieWithParent(*exec.Cmd) {}
