package archive

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
)

// respond answers as one server, whatever is asked.
func respond(status int, kind, text string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		fmt.Fprint(w, text)
		return true
	}
}

// What is not an answer to the question is no answer, and is not kept.
func TestOtherAnswers(t *testing.T) {
	page := "<!DOCTYPE html><title>Sign in</title>"
	other := strings.Repeat("8", 64)
	byFile, byTree := Question{Algorithm: "sha256", Hash: file}, Question{Algorithm: "sha256", Hash: tree, Recursive: true}
	byTag := Question{Origins: []string{"https://git.example/hello"}}
	byDatabase := Question{Algorithm: "sha256", Hash: taken, Databases: []string{"http://disarchive.example"}}
	redirect := func(to string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if r.Host == "portal.example" {
				return respond(200, "application/octet-stream", "x")(w, r)
			}
			http.Redirect(w, r, to, http.StatusFound)
			return true
		}
	}
	api, farm := Options{API: []string{"http://swh.example/api/1"}}, Options{Farms: []string{"http://farm.example"}}
	for name, tc := range map[string]struct {
		opt   Options
		q     Question
		serve func(http.ResponseWriter, *http.Request) bool
		state State
	}{
		"page":                {api, byFile, respond(200, "text/html", page), Unknown},
		"page, not found":     {api, byFile, respond(404, "text/html", page), Unknown},
		"no such route":       {api, byFile, respond(404, "application/json", `{"message":"no Route matched"}`), Unknown},
		"not found":           {api, byFile, respond(404, "application/json", `{"exception":"NotFoundExc"}`), NotArchived},
		"nothing":             {api, byFile, respond(204, "", ""), Unknown},
		"other JSON":          {api, byFile, respond(200, "application/json", `{}`), Unknown},
		"other content":       {api, byFile, respond(200, "application/json", `{"checksums":{"sha256":"`+other+`"}}`), Unknown},
		"content":             {api, byFile, respond(200, "application/json", `{"checksums":{"sha256":"`+file+`"}}`), Archived},
		"content and more":    {api, byFile, respond(200, "application/json", `{"checksums":{"sha256":"`+file+`"}} `+page), Unknown},
		"content, too long":   {api, byFile, respond(200, "application/json", `{"checksums":{"sha256":"`+file+`"}}`+strings.Repeat(" ", maxBody)+"x"), Unknown},
		"other folder":        {api, byTree, respond(200, "application/json", `{"extid_type":"nar-sha256","extid":"`+other+`","target":"`+id+`"}`), Unknown},
		"other kind":          {api, byTree, respond(200, "application/json", `{"extid_type":"hg-nodeid","extid":"`+tree+`","target":"`+id+`"}`), Unknown},
		"folder of no target": {api, byTree, respond(200, "application/json", `{"extid_type":"nar-sha256","extid":"`+tree+`"}`), Unknown},
		"other origin":        {api, byTag, respond(200, "application/json", `{"url":"https://git.example/other"}`), Unknown},
		"origin with a slash": {api, byTag, respond(200, "application/json", `{"url":"https://git.example/hello/"}`), Origin},
		"redirect to a page":  {api, byFile, redirect("http://portal.example/"), Unknown},
		"farm's page":         {farm, byFile, respond(200, "text/html; charset=utf-8", page), Unknown},
		"farm's file":         {farm, byFile, respond(200, "application/octet-stream", "x"), Archived},
		"farm, elsewhere":     {farm, byFile, redirect("http://portal.example/"), Unknown},
		"farm, to a home":     {farm, byFile, redirect("http://192.168.1.1/"), Unknown},
		"database's page":     {Options{Addresses: true}, byDatabase, respond(200, "text/html", page), Unknown},
		"recipe":              {Options{Addresses: true}, byDatabase, respond(200, "", "(disarchive (version 0))"), Archived},
	} {
		w := newWorld(t)
		w.limit = tc.serve
		tc.opt.Client, tc.opt.CacheDir = w.client(), t.TempDir()
		if got := Ask(t.Context(), []Question{tc.q}, tc.opt); got[0].State != tc.state {
			t.Errorf("%s: %+v, want %s", name, got, tc.state)
		}
		if kept, err := os.ReadDir(tc.opt.CacheDir); err != nil || (len(kept) > 0) != (tc.state != Unknown) {
			t.Errorf("%s: %d answers are kept, %v", name, len(kept), err)
		}
	}
}

// A name that leads nowhere is an outage of a server; a source's own address is gone
// with its name, when other names lead somewhere.
func TestNoSuchHost(t *testing.T) {
	q := Question{Name: "x", Algorithm: "sha256", Hash: lost, Files: []string{"http://site.invalid/x.tar"}, Whole: true}
	database := q
	database.Databases = []string{"http://database.invalid"}
	api := []string{"http://swh.example/api/1"}
	for name, tc := range map[string]struct {
		opt   Options
		q     Question
		state State
		kept  int
	}{
		"archive":             {Options{API: []string{"http://swh.invalid/api/1"}}, q, Unknown, 0},
		"farm":                {Options{API: api, Farms: []string{"http://farm.invalid"}}, q, Unknown, 1},
		"database":            {Options{API: api, Addresses: true}, database, Unknown, 2},
		"address":             {Options{API: api, Addresses: true}, q, Gone, 2},
		"no name":             {Options{Addresses: true}, q, Unknown, 0},
		"no name, an address": {Options{API: []string{"http://127.0.0.1/api/1"}, Addresses: true}, q, Unknown, 1},
		"this machine's name": {Options{API: []string{"http://localhost/api/1"}, Addresses: true}, q, Unknown, 1},
	} {
		w := newWorld(t)
		tc.opt.CacheDir = t.TempDir()
		tc.opt.Client = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if host, _, _ := net.SplitHostPort(address); strings.HasSuffix(host, ".invalid") {
				return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}}
			}
			return new(net.Dialer).DialContext(ctx, network, w.Listener.Addr().String())
		}}}
		if got := Ask(t.Context(), []Question{tc.q}, tc.opt); got[0].State != tc.state {
			t.Errorf("%s: %+v, want %s", name, got, tc.state)
		}
		if kept, err := os.ReadDir(tc.opt.CacheDir); err != nil || len(kept) != tc.kept {
			t.Errorf("%s: %d answers are kept, want %d, %v", name, len(kept), tc.kept, err)
		}
	}
}

// An address of a repository stays in its place in the path of the question.
func TestOrigins(t *testing.T) {
	for origin, want := range map[string]string{
		"https://git.example/hello":          "origin/https://git.example/hello/get/",
		"https://git.example/a?b#c":          "origin/https://git.example/a%3Fb%23c/get/",
		"https://git.example/%2e%2e/x":       "origin/https://git.example/%252e%252e/x/get/",
		"https://git.example/../../x":        "",
		"https://me:secret@git.example/x":    "",
		"git://git.example/hello":            "",
		"file:///home/me":                    "",
		"../stat/counters":                   "",
		"https:stat/counters":                "",
		"https://git.example/x\n/y":          "",
		"https://git.example/a b;c/./hello/": "",
	} {
		if got, ok := originPath(origin); ok != (want != "") || ok && got != want {
			t.Errorf("%s: %q, want %q", origin, got, want)
		}
	}
}

// A hash that is none, and a name that leads elsewhere, are not asked for.
func TestNotAsked(t *testing.T) {
	w := newWorld(t)
	answers := Ask(t.Context(), []Question{{Algorithm: "sha256", Hash: "../../stat?"}, {Algorithm: "sha256", Hash: "", Recursive: true}}, w.options())
	if len(w.asked) > 0 || !slices.Equal(states(answers), []State{Unknown, Unknown}) {
		t.Errorf("asked %q: %v", w.asked, answers)
	}
	opt := w.options()
	opt.API = nil
	if Ask(t.Context(), []Question{{Name: "..", Algorithm: "sha256", Hash: file}}, opt); len(w.asked) > 0 {
		t.Errorf("asked %q", w.asked)
	}
}

// A commit that an archive has is what was asked for only where no hash was; one that
// an archive says nothing of is not known.
func TestCommit(t *testing.T) {
	w := newWorld(t)
	other := strings.Repeat("9", 40)
	asked := []Question{{Commit: commit}, {Commit: commit, Algorithm: "sha256", Hash: lost, Recursive: true}, {Commit: other}}
	if got := states(Ask(t.Context(), asked, w.options())); !slices.Equal(got, []State{Archived, Commit, NotArchived}) {
		t.Errorf("%v", got)
	}
	w.limit = func(rw http.ResponseWriter, r *http.Request) bool {
		return strings.HasSuffix(r.URL.Path, "/known/") && respond(200, "application/json", "{}")(rw, r)
	}
	if got := states(Ask(t.Context(), asked, w.options())); !slices.Equal(got, []State{Unknown, Unknown, Unknown}) {
		t.Errorf("%v", got)
	}
}
