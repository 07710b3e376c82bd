package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"audit/fixtures"
	"audit/report"
)

// TestRealChromium opens reports from file:// in a real browser, as their
// readers do. AUDIT_TEST_AXE names axe-core's axe.min.js; AUDIT_TEST_SHOTS a folder for
// screenshots, which are to be looked at.
func TestRealChromium(t *testing.T) {
	if !strings.Contains(os.Getenv("AUDIT_TEST_REAL"), "chromium") {
		t.Skip("needs Chromium and axe-core: .ci installs them, AUDIT_TEST_REAL=chromium says that they are there")
	}
	b := newBrowser(t)
	ran := 0
	run := func(name string, test func(*testing.T)) {
		ran++
		t.Run(name, test)
	}
	pages := reportPages(t)
	for _, p := range pages {
		run(p.name+"/opens", func(t *testing.T) { b.opens(t, p) })
		for _, look := range looks {
			run(fmt.Sprintf("%s/axe-%d-%s", p.name, look.width, look.scheme), func(t *testing.T) { b.accessible(t, p, look) })
		}
		run(p.name+"/phone", func(t *testing.T) { b.fitsPhone(t, p) })
		run(p.name+"/no-script", func(t *testing.T) { b.worksWithoutScript(t, p) })
	}
	summary := summaryPage(t)
	run("summary/opens", func(t *testing.T) { b.opens(t, summary) })
	for _, look := range looks {
		run(fmt.Sprintf("summary/axe-%d-%s", look.width, look.scheme), func(t *testing.T) { b.accessible(t, summary, look) })
	}
	run("summary/phone", func(t *testing.T) { b.fitsPhone(t, summary) })
	many, hostile := pages[slices.IndexFunc(pages, func(p reportPage) bool { return p.name == "many" })], pages[len(pages)-1]
	run("policy", func(t *testing.T) { b.nothingLeaves(t, many) })
	run("filter", func(t *testing.T) { b.filters(t, many) })
	run("folding", func(t *testing.T) { b.folds(t, many) })
	run("links", func(t *testing.T) { b.reveals(t, many) })
	run("paper", func(t *testing.T) { b.prints(t, many) })
	run("hostile", func(t *testing.T) { b.showsHostileText(t, hostile) })
	if !t.Failed() {
		fmt.Printf("real suite: chromium %d tests\n", ran)
	}
}

// A look is a width in pixels and a colour scheme.
type look struct {
	width  int64
	scheme string
}

// looks are those of a desk and of a phone, by day and by night.
var looks = []look{{1200, "light"}, {1200, "dark"}, {390, "light"}, {390, "dark"}}

// height is that of the screen, in pixels.
func (l look) height() int64 {
	if l.width < 600 {
		return 844
	}
	return 900
}

// A reportPage is a report.html on disk.
type reportPage struct{ name, file string }

func (p reportPage) url() string { return "file://" + p.file }

// reportPages are reports of eight kinds of image and of each verdict, made by audit
// itself, one of ten thousand differences, and last one of a hostile image.
func reportPages(t *testing.T) []reportPage {
	dir := t.TempDir()
	images := "../../fixtures/guix/images/"
	hostile := filepath.Join(dir, "hostile.tar.gz")
	plant(t, images+"tiny.tar.gz", hostile, fixtures.AddFileOutsideStore("etc/"+hostileName, "x"))
	var pages []reportPage
	for _, c := range append(kinds(t, dir), []kind{
		{"reproducible", []string{"--rebuilt", images + "tiny.tar.gz", images + "tiny.tar.gz"}},
		{"equivalent", []string{"--rebuilt", images + "tiny.other-ext4.tar.gz", images + "tiny.tar.gz"}},
		{"unreproducible", []string{"--rebuilt", images + "stamp-B.tar.gz", images + "stamp-A.tar.gz"}},
		{"compared", []string{"compare", images + "tiny-layers4.tar.gz", images + "tiny.tar.gz"}},
		{"hostile-image", []string{hostile}},
	}...) {
		out := filepath.Join(dir, c.name)
		var errs bytes.Buffer
		if status := Main(append([]string{"audit", "-o", out}, c.args...), nil, io.Discard, &errs); status > 1 {
			t.Fatalf("%s: status %d: %s", c.name, status, errs.String())
		}
		pages = append(pages, reportPage{c.name, filepath.Join(out, "report.html")})
	}
	many := filepath.Join(dir, "many.html")
	writePage(t, many, "unreproducible", func(r *report.Report) {
		for i := range manyDifferences {
			r.Comparison.Differences = append(r.Comparison.Differences, report.Difference{
				Path: (fmt.Sprintf("gnu/store/%032d-package-%d/share/file-%05d", i%50, i%50, i)), Cause: "timestamp", Was: "1970-01-01T00:00:01Z", Now: "2026-11-20T20:31:05Z",
			})
		}
	})
	worst := filepath.Join(dir, "hostile.html")
	writePage(t, worst, "hostile", func(*report.Report) {})
	return append(pages, reportPage{"many", many}, reportPage{"hostile", worst})
}

// summaryPage is the summary of a batch of these images, with one that is missing and has
// a hostile name, since one of fewer images.
func summaryPage(t *testing.T) reportPage {
	dir := t.TempDir()
	images := "../../fixtures/guix/images/"
	tampered, found := filepath.Join(dir, "tampered.tar.gz"), filepath.Join(dir, "found")
	plant(t, images+"tiny.tar.gz", tampered, fixtures.AddFileOutsideStore("etc/cron.d/job", "* * * * * root /tmp/x\n"))
	lists := []string{
		images + "stamp-A.tar.gz\n" + images + "gone.tar\n",
		images + "stamp-A.tar.gz\n" + images + "stamp-B.tar.gz\n" + images + "hello.tar.gz\n" + tampered + "\n./<script>alert(1)</script><img src=x onerror=alert(2)>\n",
	}
	page := reportPage{"summary", filepath.Join(found, "index.html")}
	for i, list := range lists {
		file, earlier := filepath.Join(dir, "list"), filepath.Join(dir, "earlier.json")
		if err := os.WriteFile(file, []byte(list), 0o666); err != nil {
			t.Fatal(err)
		}
		runs := [][]string{{"audit", "batch", file, "-o", found}, {"audit", "summary", found, "--format", "json", "-o", earlier}}
		if i > 0 {
			runs[1] = []string{"audit", "summary", found, "--since", earlier, "--format", "html", "-o", page.file}
		}
		for _, args := range runs {
			var errs bytes.Buffer
			if status := Main(args, nil, io.Discard, &errs); status != exitPolicy && status != exitUnreadable {
				t.Fatalf("%s: status %d: %s", args[1], status, &errs)
			}
		}
	}
	return page
}

const (
	manyDifferences = 9990 // and six of the stored report
	hostileName     = "<script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31m\u202egnp"
)

func plant(t *testing.T, from, to string, edit fixtures.Edit) {
	if err := fixtures.TamperFile(from, to, edit); err != nil {
		t.Fatal(err)
	}
}

// writePage renders a stored report of the package report, edited.
func writePage(t *testing.T, to, stored string, edit func(*report.Report)) {
	f, err := os.Open("../../report/testdata/" + stored + ".json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := report.ReadJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	edit(r)
	var out bytes.Buffer
	if err := report.WriteHTML(&out, r); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, out.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

// A browser is a Chromium of its own.
type browser struct {
	ctx context.Context
	axe string // the source of axe-core
}

func newBrowser(t *testing.T) *browser {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal(err)
	}
	axe, err := os.ReadFile(os.Getenv("AUDIT_TEST_AXE"))
	if err != nil {
		t.Fatalf("AUDIT_TEST_AXE does not name axe-core's axe.min.js: %v", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()))
	for _, flag := range []string{"disable-quic", "disable-component-update", "hide-scrollbars"} {
		options = append(options, chromedp.Flag(flag, true))
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, stop := chromedp.NewContext(ctx)
	t.Cleanup(stop)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { chromedp.Cancel(ctx) }) // before the folder of the profile goes
	return &browser{ctx, string(axe)}
}

// A tab is a page that is open, and what it did.
type tab struct {
	*testing.T
	ctx context.Context

	mu       sync.Mutex
	said     []string // console messages, exceptions, dialogs
	requests []string
}

// tab opens a page at a look.
func (b *browser) tab(t *testing.T, l look, before ...chromedp.Action[chromedp.Void]) *tab {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 2*time.Minute)
	t.Cleanup(cancel)
	ctx, end := chromedp.NewContext(ctx)
	t.Cleanup(end)
	tab := &tab{T: t, ctx: ctx}
	if err := chromedp.Listen(ctx, tab.note); err != nil {
		t.Fatal(err)
	}
	tab.do(chromedp.EmulateViewport(l.width, 900))
	tab.call(func() error {
		_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
		return err
	})
	tab.media(emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
	tab.do(before...)
	return tab
}

func (t *tab) note(event any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		t.said = append(t.said, fmt.Sprintf("console.%s", e.Type))
	case *runtime.EventExceptionThrown:
		t.said = append(t.said, "exception: "+e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		t.said = append(t.said, fmt.Sprintf("%s: %s", e.Entry.Level, e.Entry.Text))
	case *page.EventJavascriptDialogOpening:
		t.said = append(t.said, "dialog: "+e.Message)
	case *network.EventRequestWillBeSent:
		t.requests = append(t.requests, e.Request.URL)
	}
}

func (t *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(t.ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

func (t *tab) call(f func() error) {
	t.Helper()
	if err := f(); err != nil {
		t.Fatal(err)
	}
}

func (t *tab) media(m emulation.SetEmulatedMediaParams) {
	t.Helper()
	t.call(func() error {
		_, err := chromedp.Call(t.ctx, emulation.SetEmulatedMedia, m)
		return err
	})
}

// value is what an expression comes to.
func value[T any](t *tab, expression string, options ...chromedp.EvaluateOption) T {
	t.Helper()
	v, err := chromedp.Run(t.ctx, chromedp.Evaluate[T](expression, options...))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// until waits for an expression to become true.
func (t *tab) until(expression string) {
	t.Helper()
	for range 400 {
		if value[bool](t, expression) {
			return
		}
		t.do(chromedp.Sleep(50 * time.Millisecond))
	}
	t.Fatalf("it never became true: %s", expression)
}

var desk = look{1200, "light"}

// opens: from file://, whole, with nothing on the console, and nothing fetched.
func (b *browser) opens(t *testing.T, p reportPage) {
	tab := b.tab(t, desk, chromedp.Navigate(p.url()))
	if got := value[int](tab, `document.querySelectorAll("main section").length`); got < 8 {
		t.Errorf("%d sections", got)
	}
	if got := value[string](tab, `getComputedStyle(document.body).backgroundColor`); got != "rgb(246, 245, 241)" {
		t.Errorf("the style sheet does not apply: the ground is %s", got)
	}
	tab.mu.Lock()
	defer tab.mu.Unlock()
	if len(tab.said) > 0 {
		t.Errorf("the browser says %q", tab.said)
	}
	if !slices.Equal(tab.requests, []string{p.url()}) {
		t.Errorf("it asked for %q", tab.requests)
	}
	b.shoot(t, p)
}

// shoot takes pictures of the first screen of a desk and of a phone, and the page as it
// is printed, where AUDIT_TEST_SHOTS wants them.
func (b *browser) shoot(t *testing.T, p reportPage) {
	dir := os.Getenv("AUDIT_TEST_SHOTS")
	if dir == "" || p.name == "many" {
		return
	}
	write := func(name string, data []byte, err error) {
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, p.name+"-"+name), data, 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, l := range looks {
		tab := b.tab(t, l, chromedp.EmulateViewport(l.width, l.height()), chromedp.Navigate(p.url()))
		png, err := chromedp.Run(tab.ctx, chromedp.CaptureScreenshot())
		write(fmt.Sprintf("%d-%s.png", l.width, l.scheme), png, err)
		if l == desk {
			pdf, err := chromedp.Run(tab.ctx, chromedp.PrintToPDF())
			write("paper.pdf", pdf, err)
		}
	}
}

// accessible: axe-core finds no violation, with all folds open.
func (b *browser) accessible(t *testing.T, p reportPage, l look) {
	tab := b.tab(t, l, chromedp.Navigate(p.url()))
	// Ten thousand rows look like twenty.
	value[bool](tab, `document.querySelectorAll("details.fold ~ .fold, .fold li:nth-child(n+20)").forEach(e => e.remove()), true`)
	value[bool](tab, `document.querySelectorAll("details").forEach(d => d.open = true), true`)
	value[bool](tab, b.axe+"; true")
	violations := value[[]string](tab,
		`axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations.map(v => v.id + ": " + v.help + ": " + v.nodes.slice(0, 3).map(n => n.target + " " + n.failureSummary).join(" | ")))`,
		chromedp.EvalAwaitPromise)
	for _, v := range violations {
		t.Error(v)
	}
}

// fitsPhone: nothing makes the page wider than the screen.
func (b *browser) fitsPhone(t *testing.T, p reportPage) {
	tab := b.tab(t, look{390, "light"}, chromedp.Navigate(p.url()))
	if got := value[int](tab, `document.documentElement.scrollWidth`); got > 390 {
		t.Errorf("the page is %d pixels wide, because of %s", got, value[string](tab,
			`[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > 391 && !e.closest(".scroll, pre, nav") && ![...e.children].some(c => c.getBoundingClientRect().right > 391)).map(e => e.outerHTML.slice(0, 200)).slice(0, 5).join("\n")`))
	}
	if value[string](tab, `(e => e ? getComputedStyle(e).display : "none")(document.querySelector(".treemap.wide"))`) != "none" {
		t.Error("the wide picture is on the phone")
	}
}

// worksWithoutScript: all is there, no filter, and folds open by keyboard.
func (b *browser) worksWithoutScript(t *testing.T, p reportPage) {
	tab := b.tab(t, desk)
	tab.call(func() error {
		_, err := chromedp.Call(tab.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	})
	tab.do(chromedp.Navigate(p.url()))
	if got := value[int](tab, `document.querySelectorAll(".filter").length`); got != 0 {
		t.Errorf("%d filters", got)
	}
	fold := `document.querySelector("details.why")`
	was := value[bool](tab, fold+".open")
	value[bool](tab, fold+`.querySelector("summary").focus(), true`)
	tab.do(chromedp.KeyEvent(kb.Enter))
	if value[bool](tab, fold+".open") == was {
		t.Error("a fold does not open by keyboard")
	}
}

// nothingLeaves: the security policy holds against what a page could try.
func (b *browser) nothingLeaves(t *testing.T, p reportPage) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer server.Close()
	tab := b.tab(t, desk, chromedp.Navigate(p.url()))
	tried := value[string](tab, fmt.Sprintf(`(async (url) => {
		const add = (name, set) => document.body.append(Object.assign(document.createElement(name), set));
		window.broken = "";
		add("script", {textContent: "window.broken += 'inline '"});
		add("script", {src: url + "/x.js"});
		add("img", {src: url + "/x.png"});
		add("iframe", {src: url});
		add("link", {rel: "stylesheet", href: url + "/x.css"});
		add("div", {innerHTML: "<b onclick=\"window.broken += 'handler '\" style=\"color:red\">x</b>"});
		document.body.lastChild.firstChild.click();
		try { await fetch(url) } catch { }
		navigator.sendBeacon(url, "x");
		try { new WebSocket(url.replace("http", "ws")) } catch { }
		await new Promise(done => setTimeout(done, 500));
		return window.broken + getComputedStyle(document.body.lastChild.firstChild).color;
	})(%q)`, server.URL), chromedp.EvalAwaitPromise)
	if strings.Contains(tried, "inline") || strings.Contains(tried, "handler") || strings.Contains(tried, "255, 0, 0") {
		t.Errorf("what was put into the page did run: %q", tried)
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("%d requests left", n)
	}
}

// focusables are what the tabulator key leads to, in order.
const focusables = `[...document.querySelectorAll("a[href], summary, input, button, [tabindex='0']")].filter(e => e.checkVisibility())`

// tabTo presses the tabulator key in front of an element, which must then be
// where the keyboard is.
func (t *tab) tabTo(selector string) {
	t.Helper()
	value[bool](t, fmt.Sprintf(`(e => { const all = %s; all[all.indexOf(e) - 1].focus(); return true })(document.querySelector(%q))`, focusables, selector))
	t.do(chromedp.KeyEvent(kb.Tab))
	if !value[bool](t, fmt.Sprintf(`document.activeElement === document.querySelector(%q)`, selector)) {
		t.Fatalf("the keyboard does not reach %s but %s", selector, value[string](t, `document.activeElement.outerHTML.slice(0, 200)`))
	}
}

const (
	diffs = `#differences [data-filter]`
	shown = `[...document.querySelectorAll("#differences .differences > li")].filter(e => !e.hidden).length`
)

// filters: by keyboard alone, through the rows that are shown of ten thousand: of many
// differences of one cause the others are counted by folder and pattern.
func (b *browser) filters(t *testing.T, p reportPage) {
	tab := b.tab(t, desk, chromedp.Navigate(p.url()))
	all := value[int](tab, shown)
	if all < 500 || all > 1000 {
		t.Fatalf("%d rows", all)
	}
	if got := value[string](tab, `document.querySelector("#differences .patterns").textContent`); !strings.Contains(got, "file-*") {
		t.Errorf("the patterns are %s", got)
	}
	tab.tabTo(diffs + " .filter input")
	output := fmt.Sprintf(`document.querySelector(%q).textContent`, diffs+" .filter output")
	tab.do(chromedp.KeyEvent("file-0"))
	few := value[int](tab, `[...document.querySelectorAll("#differences .differences > li")].filter(e => e.textContent.includes("file-0")).length`)
	if few == 0 || few >= all {
		t.Fatalf("%d of %d rows have file-0", few, all)
	}
	tab.until(output + fmt.Sprintf(` === "%d of %d differences shown one by one"`, few, all))
	if got := value[int](tab, shown); got != few {
		t.Errorf("%d rows are left", got)
	}
	tab.do(chromedp.KeyEvent("a", chromedp.KeyModifiers(kb.ModifierCtrl)), chromedp.KeyEvent(kb.Backspace), chromedp.KeyEvent("SETUID"))
	tab.until(output + fmt.Sprintf(` === "0 of %d differences shown one by one"`, all))
	tab.do(chromedp.KeyEvent("a", chromedp.KeyModifiers(kb.ModifierCtrl)), chromedp.KeyEvent("mode 4755"))
	tab.until(output + fmt.Sprintf(` === "1 of %d differences shown one by one"`, all))
	if got := value[int](tab, `[...document.querySelectorAll("#differences .differences > li")].filter(e => e.checkVisibility()).length`); got != 1 {
		t.Errorf("%d rows are to be seen: the folds of what matches must be open", got)
	}
	tab.do(chromedp.KeyEvent("a", chromedp.KeyModifiers(kb.ModifierCtrl)), chromedp.KeyEvent(kb.Backspace))
	tab.until(output + fmt.Sprintf(` === "%d differences shown one by one"`, all))
	if got := value[int](tab, `[...document.querySelectorAll("#differences details.fold")].filter(e => e.open).length`); got != 0 {
		t.Errorf("%d folds stay open when the filter is empty again", got)
	}
}

// folds: by keyboard alone, one and all.
func (b *browser) folds(t *testing.T, p reportPage) {
	tab := b.tab(t, desk, chromedp.Navigate(p.url()))
	cause := `#differences details[data-cause="timestamp"]`
	open := fmt.Sprintf(`document.querySelector(%q).open`, cause)
	if value[bool](tab, open) {
		t.Fatal("ten thousand differences are open from the start")
	}
	tab.tabTo(cause + " > summary")
	tab.do(chromedp.KeyEvent(kb.Enter))
	if !value[bool](tab, open) {
		t.Error("Enter does not open a fold")
	}
	tab.do(chromedp.KeyEvent(" "))
	if value[bool](tab, open) {
		t.Error("Space does not close a fold")
	}
	count := `[...document.querySelectorAll("#differences [data-filter] details")].filter(e => e.open).length`
	all := value[int](tab, `document.querySelectorAll("#differences [data-filter] details").length`)
	tab.tabTo(diffs + " .filter button")
	tab.do(chromedp.KeyEvent(kb.Enter))
	if got := value[int](tab, count); got != all {
		t.Errorf("%d of %d folds are open", got, all)
	}
	tab.do(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(" "))
	if got := value[int](tab, count); got != 0 {
		t.Errorf("%d folds are open", got)
	}
}

// reveals: a link into a fold opens it.
func (b *browser) reveals(t *testing.T, p reportPage) {
	tab := b.tab(t, desk, chromedp.Navigate(p.url()))
	value[bool](tab, `document.querySelectorAll("#closure details").forEach(d => d.open = false), true`)
	tab.do(chromedp.Navigate(p.url() + "#ref-1"))
	tab.until(`document.getElementById("ref-1").checkVisibility()`)
}

// prints: on paper what is folded is there, and what only a screen needs is not.
func (b *browser) prints(t *testing.T, p reportPage) {
	tab := b.tab(t, desk, chromedp.Navigate(p.url()))
	tab.media(emulation.SetEmulatedMediaParams{Media: "print"})
	for selector, want := range map[string]bool{"nav": false, ".filter": false, "h1": true, `details[data-cause="timestamp"] .patterns`: true, "details.fold li": false} {
		if got := value[bool](tab, fmt.Sprintf(`document.querySelector(%q).checkVisibility({contentVisibilityAuto: true})`, selector)); got != want {
			t.Errorf("%s is on paper: %v", selector, got)
		}
	}
	pdf, err := chromedp.Run(tab.ctx, chromedp.PrintToPDF())
	if err != nil || !bytes.HasPrefix(pdf, []byte("%PDF-")) {
		t.Errorf("no PDF: %v", err)
	}
}

// showsHostileText: names and contents are text, whatever they hold.
func (b *browser) showsHostileText(t *testing.T, p reportPage) {
	tab := b.tab(t, desk, chromedp.Navigate(p.url()))
	value[bool](tab, `document.querySelectorAll("details").forEach(d => d.open = true), true`)
	if got := value[int](tab, `document.querySelectorAll("script").length`); got != 1 {
		t.Errorf("%d scripts", got)
	}
	if got := value[int](tab, `document.querySelectorAll("img, iframe, object, embed, form, base, link").length`); got != 0 {
		t.Errorf("%d elements that the image brought", got)
	}
	if got := value[int](tab, `[...document.querySelectorAll("*")].filter(e => [...e.attributes].some(a => a.name.startsWith("on") || a.name === "style")).length`); got != 0 {
		t.Errorf("%d elements with handlers or styles", got)
	}
	text := value[string](tab, `document.body.innerText`)
	for _, want := range []string{"<script>alert(1)</script>", `\x1b[31m`, `\u202e`} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not show %s", want)
		}
	}
	tab.mu.Lock()
	defer tab.mu.Unlock()
	if len(tab.said) > 0 {
		t.Errorf("the browser says %q", tab.said)
	}
}
