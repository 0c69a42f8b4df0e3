// Package chaos is the fault matrix: every operation of the service, called
// through its method, times every fault that the simulator plays, over HTTP/1 and
// over HTTP/2 with TLS, on real connections of the loopback interface. What each
// call may give is written down from the retry table, apart from the code that it
// judges; what the service did is asked of the simulator.
//
// `make chaos` runs all of it and prints a table. The ordinary tests run a sample.
package chaos
