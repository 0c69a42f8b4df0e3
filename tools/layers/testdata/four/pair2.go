package four

func pong(n int) { ping(n - 1) }
