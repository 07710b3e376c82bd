package archive

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/nix-community/go-nix/pkg/nixbase32"

	"audit/rebuild/swhid"
)

// mostAddresses is how many of the addresses of a source are tried.
const mostAddresses = 12

// An asker asks for one source after another.
type asker struct {
	*web
	opt Options
	// ids are the identifiers that the archives know, by server.
	ids map[string]map[string]bool
}

func newAsker(opt Options) *asker {
	return &asker{web: newWeb(opt), opt: opt, ids: make(map[string]map[string]bool)}
}

// most is how many identifiers one request to known may have (swh-web, api_swhid_known).
const most = 1000

// known asks each archive for all identifiers at once.
func (a *asker) known(ctx context.Context, questions []Question) {
	var ids []string
	for _, q := range questions {
		for _, id := range []string{q.SWHID, swhid.Revision(q.Commit)} {
			if id != "" {
				ids = append(ids, id)
			}
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	for _, api := range a.opt.API {
		for chunk := range slices.Chunk(ids, most) {
			body, _ := json.Marshal(chunk) // texts always marshal
			answer := a.get(ctx, request{method: http.MethodPost, address: join(api, "known/"), body: body, named: true})
			var known map[string]struct{ Known bool }
			if answer.status != http.StatusOK || json.NewDecoder(bytes.NewReader(answer.body)).Decode(&known) != nil {
				break
			}
			if a.ids[api] == nil {
				a.ids[api] = make(map[string]bool)
			}
			for id, k := range known {
				a.ids[api][id] = k.Known
			}
		}
	}
}

// ask asks for one source until somebody has it.
func (a *asker) ask(ctx context.Context, q Question) Answer {
	silent, day := false, ""
	for _, r := range a.requests(q) {
		if r.known {
			return Answer{Archived, r.address, a.today}
		}
		answer := a.get(ctx, r)
		day = max(day, answer.day)
		switch {
		case !answer.said():
			silent = true
		case answer.status >= 300:
		case r.state == Address && silent: // an archive may have it all the same
			return Answer{Unknown, r.address, answer.day}
		default:
			return Answer{r.state, r.address, answer.day}
		}
	}
	switch {
	case silent || day == "":
		return Answer{State: Unknown}
	case a.opt.Addresses && q.Whole && len(q.Files) <= mostAddresses:
		return Answer{State: Gone, Day: day}
	}
	return Answer{State: NotArchived, Day: day}
}

// requests are whom to ask for a source, in their order: archives by content, farms,
// Disarchive, archives by origin, and the source's own addresses.
func (a *asker) requests(q Question) (all []request) {
	add := func(state State, named bool, address string) {
		all = append(all, request{method: http.MethodGet, address: address, state: state, named: named})
	}
	for _, api := range a.opt.API {
		for _, id := range []string{q.SWHID, swhid.Revision(q.Commit)} {
			if id != "" && a.ids[api][id] {
				all = append(all, request{address: join(api, "resolve/"+id+"/"), known: true})
			}
		}
		if path := byHash(q); path != "" {
			add(Archived, true, join(api, path))
		}
	}
	if sum, err := hex.DecodeString(q.Hash); err == nil && q.Algorithm == "sha256" && !q.Recursive {
		for _, farm := range a.opt.Farms {
			add(Archived, true, join(farm, "file/"+url.PathEscape(q.Name)+"/sha256/"+nixbase32.EncodeToString(sum)))
		}
		if a.opt.Addresses {
			for _, database := range q.Databases {
				add(Archived, false, join(database, "sha256/"+q.Hash))
			}
		}
	}
	for _, api := range a.opt.API {
		for _, origin := range q.Origins {
			add(Origin, true, join(api, "origin/"+origin+"/get/"))
		}
	}
	if a.opt.Addresses {
		for _, address := range q.Files[:min(len(q.Files), mostAddresses)] {
			all = append(all, request{method: http.MethodHead, address: address, state: Address})
		}
	}
	return all
}

// byHash is the path of the API that finds a source by its hash; "" for none.
func byHash(q Question) string {
	switch {
	case q.Recursive && q.Algorithm == "sha256":
		return "extid/nar-sha256/hex:" + q.Hash + "/?extid_version=1"
	case q.Recursive:
		return ""
	case q.Algorithm == "sha512":
		return "extid/checksum-sha512/hex:" + q.Hash + "/?extid_version=1"
	case q.Algorithm == "sha256" || q.Algorithm == "sha1":
		return "content/" + q.Algorithm + ":" + q.Hash + "/"
	}
	return ""
}

// join appends a path to the address of a server.
func join(server, path string) string {
	return cmp.Or(strings.TrimRight(server, "/"), server) + "/" + path
}
