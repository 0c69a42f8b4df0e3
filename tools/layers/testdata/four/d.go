package four

type caller interface{ call() }

// d calls a method that A has from B, and names A.
func sum(a *A) int { return a.first() }
