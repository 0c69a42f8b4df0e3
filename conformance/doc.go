// Package conformance proves that three descriptions of the service agree: the
// typed methods of package ryze, the simulator in package ryzetest, and
// api/openapi.yaml.
//
// It calls every exported method of the client and its services against the
// simulator, and validates each request and each reply on the way against the
// document; then it serves every reply that the document shows as an example,
// whole and damaged, and looks at what the methods make of it. It has nothing
// but tests, and a module of its own because of the validator:
//
//	go test -run TestConformance -v ./...
//
// Which method calls which operation is observed on the way, and written to
// docs/operations.md and its Portuguese twin by go generate.
package conformance

//go:generate go test -count=1 -run ^TestOperationsPage$ . -args -update
