// Package docs_test holds the code of the guides, so that it is compiled and run.
package docs_test
