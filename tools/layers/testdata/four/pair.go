package four

// A smaller circle, which uses the larger one.
func ping(n int) {
	call(nil)
	pong(n - 1)
}
