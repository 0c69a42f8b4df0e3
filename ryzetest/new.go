package ryzetest

import (
	"net/http"
	"testing"
)

// DefaultInstance is the name of the instance that [New] makes.
const DefaultInstance = "test-line"

// New returns a server in memory, an instance paired with the number
// 5511900000001, and a client that reaches it. It works with and without
// synctest:
//
//	srv, line, httpClient := ryzetest.New(t)
//	client, err := ryze.NewInstanceClient(line.Name(), line.Token(),
//		ryze.WithBaseURL(srv.URL), ryze.WithHTTPClient(httpClient))
//
// The end of the test closes the server. The test fails if a request had a
// [Violation]: a mistake that the service might ignore. A test of mistakes uses
// [NewServer].
func New(tb testing.TB, opts ...Option) (*Server, *Instance, *http.Client) {
	tb.Helper()
	s, err := Start(append([]Option{InMemory()}, opts...)...)
	if err != nil {
		tb.Fatalf("ryzetest: %v", err)
	}
	tb.Cleanup(func() {
		s.Close()
		for _, v := range s.Violations() {
			tb.Errorf("ryzetest: %v", v)
		}
	})
	line := s.AddInstance(DefaultInstance)
	line.Pair("5511900000001")
	return s, line, s.HTTPClient()
}
