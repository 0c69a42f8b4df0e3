package e2e

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// A reader who types what he has on his mind finds the page that answers, in his
// language.
func TestSearchOfTheSiteFindsThePage(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "../tools/site.sh").CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == 75 {
		t.Skipf("%s", out)
	}
	require.NoError(t, err, "%s", out)
	site := httptest.NewServer(http.FileServer(http.Dir("../bin/site")))
	t.Cleanup(site.Close)
	for words, page := range map[string]string{
		"LID":         "numbers.html",
		"nono dígito": "pt-BR/numbers.html",
		"dead letter": "receiving.html",
		"429":         "quota.html",
	} {
		p := open(t, site.URL+"/search.html?q="+url.QueryEscape(words))
		p.until(`[...document.querySelectorAll("#mkdocs-search-results a")].slice(0, 8).some(a => a.href.split("#")[0] === ` + quote(site.URL+"/"+page) + `)`)
	}
}
