package main

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"audit/inspect/check"
	"audit/report"
)

var updateCodes = flag.Bool("update-codes", false, "write report/CODES.md")

// codeForm is that of a code, in whole.
var codeForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*/[a-z0-9]+(-[a-z0-9]+)*$`)

// A use is a place in the sources where a code is given with its arguments.
type use struct {
	at    string
	code  string
	names []string // of the arguments
	open  bool     // more arguments are handed on, which are not seen there
	added []string // arguments that the package adds to messages elsewhere
}

// TestEveryCodeHasItsSentence: each code that the sources give has a sentence,
// whose arguments are those that the code is given with; each sentence has a
// code; and no code is put together at run time.
func TestEveryCodeHasItsSentence(t *testing.T) {
	table := sentences()
	used := make(map[string]bool)
	for _, u := range uses(t, table) {
		used[u.code] = true
		template, ok := table[u.code]
		if !ok {
			t.Errorf("%s: %s has no sentence", u.at, u.code)
			continue
		}
		given := slices.Concat(u.names, u.added, []string{"more"})
		for name, needed := range placeholders(template) {
			if needed && !u.open && u.names != nil && !slices.Contains(given, name) {
				t.Errorf("%s: the sentence of %s wants %s: %q", u.at, u.code, name, template)
			}
		}
		for _, name := range u.names {
			if _, ok := placeholders(template)[name]; !ok && !dataOnly(name) {
				t.Errorf("%s: the sentence of %s does not say %s: %q", u.at, u.code, name, template)
			}
		}
	}
	for code := range table {
		if !used[code] {
			t.Errorf("the sentence of %s is never said", code)
		}
	}
}

// dataOnly says that an argument is for programs, or is shown apart.
func dataOnly(name string) bool { return slices.Contains([]string{"more", "diff", "code"}, name) }

// placeholders are the arguments that a template names, and whether it cannot do
// without: those in square brackets are left out where they are absent.
func placeholders(template string) map[string]bool {
	names := make(map[string]bool)
	depth := 0
	template = strings.NewReplacer("[[", "", "{{", "").Replace(template)
	for i := 0; i < len(template); i++ {
		switch template[i] {
		case '[':
			depth++
		case ']':
			depth--
		case '{':
			name, _, _ := strings.Cut(template[i+1:], "}")
			name, form, _ := strings.Cut(name, ":")
			names[name] = names[name] || depth == 0
			if other, ok := strings.CutPrefix(form, "change "); ok {
				names[other] = names[other] || depth == 0
			}
		}
	}
	return names
}

// uses reads all codes out of the sources: every literal that has the form of a
// code and begins as one, outside of the tables of sentences.
func uses(t *testing.T, table map[string]string) (all []use) {
	t.Helper()
	groups := make(map[string]bool)
	for code := range table {
		group, _, _ := strings.Cut(code, "/")
		groups[group] = true
	}
	for _, id := range check.IDs() {
		groups[string(id)] = true
	}
	isText := func(f ast.Expr) bool { // a function that looks at texts says nothing
		sel, ok := f.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		pkg, ok := sel.X.(*ast.Ident)
		return ok && (pkg.Name == "strings" || pkg.Name == "slices" || pkg.Name == "cmp")
	}
	isCode := func(e ast.Expr) (string, bool) {
		lit, ok := e.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return "", false
		}
		code, err := strconv.Unquote(lit.Value)
		group, _, _ := strings.Cut(code, "/")
		return code, err == nil && codeForm.MatchString(code) && groups[group]
	}
	added := addedArguments(t)
	eachSource(t, func(fset *token.FileSet, file *ast.File) {
		dir := filepath.Dir(fset.Position(file.Pos()).Filename)
		inCall := make(map[ast.Expr]bool)
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				for i, arg := range n.Args {
					code, ok := isCode(arg)
					if !ok || isText(n.Fun) {
						continue
					}
					inCall[arg] = true
					u := use{at: fset.Position(n.Pos()).String(), code: code, names: []string{}, open: n.Ellipsis.IsValid(), added: slices.Concat(added[dir], added[filepath.Dir(dir)])}
					for j := i + 1; j < len(n.Args); j += 2 {
						name, err := literal(n.Args[j])
						u.open = u.open || err != nil
						if err == nil {
							u.names = append(u.names, name)
						}
					}
					if !says(n.Fun) {
						u.names, u.open = nil, true
					}
					all = append(all, u)
				}
				if at, computed := computedCode(n); computed {
					t.Errorf("%s: a code is put together: codes are literals", fset.Position(at))
				}
			case *ast.BasicLit:
				if code, ok := isCode(n); ok && !inCall[n] {
					all = append(all, use{at: fset.Position(n.Pos()).String(), code: code})
				}
			}
			return true
		})
	})
	return all
}

// says is true of the functions that take a code and its arguments.
func says(f ast.Expr) bool {
	name := ""
	switch f := f.(type) {
	case *ast.SelectorExpr:
		name = f.Sel.Name
	case *ast.Ident:
		name = f.Name
	}
	return slices.Contains([]string{"Say", "Because", "Skip", "Find", "Problem", "Undecided", "Note"}, name)
}

// addedArguments are, for each folder, the names of the arguments that its code
// adds to messages apart from their code: by Args["name"], append(args, "name", …)
// and in calls that hand a code on.
func addedArguments(t *testing.T) map[string][]string {
	t.Helper()
	added := make(map[string][]string)
	eachSource(t, func(fset *token.FileSet, file *ast.File) {
		dir := filepath.Dir(fset.Position(file.Pos()).Filename)
		add := func(e ast.Expr) {
			if name, err := literal(e); err == nil {
				added[dir] = append(added[dir], name)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.IndexExpr:
				add(n.Index)
			case *ast.CallExpr:
				for _, arg := range n.Args {
					if id, ok := arg.(*ast.Ident); ok && (id.Name == "code" || id.Name == "args") {
						for _, other := range n.Args {
							add(other)
						}
					}
				}
			case *ast.CompositeLit:
				for _, el := range n.Elts {
					add(el)
				}
			}
			return true
		})
	})
	return added
}

func literal(e ast.Expr) (string, error) {
	lit, ok := e.(*ast.BasicLit)
	if !ok {
		return "", fmt.Errorf("no literal")
	}
	return strconv.Unquote(lit.Value)
}

// computedCode says that a call hands an expression over as a code which is
// put together of parts: of these the literal is elsewhere.
func computedCode(call *ast.CallExpr) (token.Pos, bool) {
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return 0, false
	}
	place := map[string]int{"Say": 0, "Because": 0, "Skip": 1, "Find": 3}
	i, ok := place[f.Sel.Name]
	if !ok || len(call.Args) <= i {
		return 0, false
	}
	_, binary := call.Args[i].(*ast.BinaryExpr)
	return call.Args[i].Pos(), binary
}

// eachSource parses every file of ours but tests and tables of sentences.
func eachSource(t *testing.T, do func(*token.FileSet, *ast.File)) {
	t.Helper()
	fset := token.NewFileSet()
	for _, dir := range goFolders(t) {
		if strings.HasPrefix(dir, "fixtures") {
			continue
		}
		files, err := filepath.Glob(filepath.Join("../..", dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			if base := filepath.Base(path); strings.HasSuffix(base, "_test.go") || strings.HasPrefix(base, "sentences") {
				continue
			}
			file, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			do(fset, file)
		}
	}
}

// TestCodesAreDocumented holds report/CODES.md against the table of sentences.
func TestCodesAreDocumented(t *testing.T) {
	const path = "../../report/CODES.md"
	want := codesDocument()
	if *updateCodes {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not that of the table of sentences: go test ./cmd/audit -run TestCodesAreDocumented -update-codes", path)
	}
}

// TestCodesAreExplained: audit help CODE says of each code its sentence, why it matters
// and, where there is anything to do about it, what. What is said of a finding is said of
// its code, and not of its check.
func TestCodesAreExplained(t *testing.T) {
	table := sentences()
	for _, code := range slices.Sorted(maps.Keys(table)) {
		about, ok := report.Explain(systems().Abouts(), code)
		if !ok || about.About == "" || about.Why == "" || about.ToDo+about.Problem+about.Undecided == "" {
			t.Errorf("%s: %+v", code, about)
		}
		if slices.Contains(findingCodes(), code) && about.Problem != "" {
			t.Errorf("%s has no advice of its own (report/codeadvice*.go)", code)
		}
		var out, mistakes bytes.Buffer
		if explainCode(&out, code) != nil || !strings.HasPrefix(out.String(), code+"\n    ") {
			t.Errorf("%s: %s", code, &out)
		}
		if form := table.Form(code); form == "" || strings.ContainsAny(form, "{}") {
			t.Errorf("%s: %q", code, form)
		}
		if code != "closure/setuid-file" {
			continue
		}
		if status := Main([]string{"audit", "help", code}, nil, &out, &mistakes); status != exitHolds || !strings.Contains(out.String(), "What to do: Find the step that made it") {
			t.Errorf("audit help %s: %d\n%s%s", code, status, &out, &mistakes)
		}
	}
	var out, mistakes bytes.Buffer
	if status := Main([]string{"audit", "help", "closure/setuid-fil"}, nil, &out, &mistakes); status != exitUsage || !strings.Contains(mistakes.String(), "nearest is closure/setuid-file") {
		t.Errorf("a code that there is not: %d\n%s%s", status, &out, &mistakes)
	}
}

// TestHelpOfWhatIsNoFinding: the parts of sentences, the evidence and the causes of
// differences, the reasons of plans and the rules of policies are explained as what they
// are, and not as the check that they belong to.
func TestHelpOfWhatIsNoFinding(t *testing.T) {
	group := func(code string) string { return code[:strings.IndexByte(code, '/')] }
	for code := range explainable() {
		switch group(code) {
		case "answer", "config", "difference", "item", "known", "mark", "plan", "policy", "sign", "value", "why":
		default:
			continue
		}
		about, ok := report.Explain(systems().Abouts(), code)
		if !ok || about.ToDo == "" || about.Problem+about.Undecided != "" || strings.Contains(about.Why, "It is the only check") {
			t.Errorf("%s: %+v", code, about)
		}
		if group(code) == "plan" && strings.Contains(about.ToDo+about.Why, "rebuild.sh") {
			t.Errorf("%s is sent to rebuild.sh: %+v", code, about)
		}
	}
	for code, want := range map[string]string{
		"difference/renamed":           "a version in a path is the usual",
		"difference/missing":           "Files differ: only in the original",
		"difference/renamed-folder":    "a version in a path is the usual",
		"config/derived":               "No container sees it",
		"difference/functions":         "Look the cause up",
		"plan/refused":                 "each names what to",
		"plan/needs-trust":             "give the flag that the sentence",
		"plan/network-needed":          "Give --network",
		"plan/channel-official":        "Nothing has to be done",
		"plan/channel-unauthenticated": "give the flag that the sentence",
		"value/all-zero":               "a part of the sentence of one",
		"policy/require":               `"require": "explained"`,
		"policy/verdict":               `"require": "explained"`,
		"policy/checks":                `"checks": {"integrity": ["pass"]}`,
		"policy/refuse":                `"refuse": ["closure/setuid-file"]`,
		"policy/allow":                 `{"path": …, "cause"`,
	} {
		var out, mistakes bytes.Buffer
		status := Main([]string{"audit", "help", code}, nil, &out, &mistakes)
		if status != exitHolds || !strings.Contains(out.String(), want) {
			t.Errorf("audit help %s: %d\n%s%s", code, status, &out, &mistakes)
		}
	}
}

func codesDocument() string {
	table := sentences()
	var b strings.Builder
	b.WriteString("# Codes\n\nWhat a check found, and why it ended as it did, stands in `report.json` as a code with arguments; the sentences that people read\nare made of them. Why a finding matters and what to do about it says `audit help CODE`, of all whose codes begin alike `audit help closure/`.\nThis file is made of the table of sentences (`go test ./cmd/audit -run TestCodesAreDocumented -update-codes`).\nA part in square brackets is left out where its argument is absent. Findings of which there are many alike have the argument\n`more`: how many are not listed.\n")
	group := ""
	for _, code := range slices.Sorted(maps.Keys(table)) {
		if g, _, _ := strings.Cut(code, "/"); g != group {
			group = g
			about, _ := report.Explain(systems().Abouts(), group)
			fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| code | arguments | sentence |\n|---|---|---|\n", group, about.About)
		}
		names := strings.Join(slices.Sorted(maps.Keys(placeholders(table[code]))), ", ")
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", code, names, strings.NewReplacer("|", "\\|", "<", "&lt;", "*", "\\*", "_", "\\_").Replace(table[code]))
	}
	return b.String()
}
