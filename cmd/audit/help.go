package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

// A guide is what audit help VERB says beside the flags.
type guide struct {
	verb     string
	args     string
	about    string
	examples []example
}

type example struct{ command, about string }

// guides are those of all verbs.
func guides() []guide {
	return []guide{
		{"run", "IMAGE", "Reads the image once, recovers its recipe, builds it again where the builder is installed, compares, and writes a folder with the reports, the bills of materials and the recipe. The exit status says whether the policy holds: 0 it does, 1 it does not, 2 the command line is wrong, 3 the image cannot be read, 4 a rebuild was demanded and could not be done.", []example{
			{"audit image.tar.gz", "the whole line, into image.audit"},
			{"audit --require reproducible -o report image.tar", "fail unless a rebuild gave the same bytes"},
			{"audit --policy builtin:explained image.tar", "what a ready policy demands (audit policy show)"},
			{"audit --format markdown image.tar", "for $GITHUB_STEP_SUMMARY"},
			{"audit --sha256 HEX https://archive.example/image.tar.gz", "from an archive, with the checksum that it shows"},
			{"audit --doi-file image.tar.gz doi:10.5281/zenodo.1234567", "from Zenodo, with the checksum of the record"},
			{"audit --rebuilt again.tar.gz image.tar.gz", "with a rebuild that was made elsewhere"},
			{"audit --online docker://registry.example/lab/tool:1.0", "from a registry, asking the official build farms"},
		}},
		{"inspect", "IMAGE", "Looks and does nothing else: the form of the image, its layers and digests, its store items, where it names its recipe, and the checks that need nothing but the bytes.", []example{
			{"audit inspect image.tar.gz", "an archive of an engine or a packer"},
			{"audit inspect docker-archive:images.tar:lab/tool:1.0", "one of several"},
			{"audit inspect --json oci:folder:latest", "a layout; as JSON, for programs"},
			{"audit inspect --platform linux/arm64 oci-archive:image.tar", ""},
			{"audit inspect docker://registry.example/lab/tool:1.0", "in a registry"},
			{"audit inspect docker-daemon:lab/tool:1.0", "in a running engine"},
			{"audit inspect containers-storage:lab/tool:1.0", "in the store of podman and buildah"},
			{"audit inspect rootfs:files.tar", "the files of a container, or a tarball of a packer"},
			{"audit inspect squashfs:pack.squashfs", "a squashfs of a packer"},
			{"audit inspect sif:tool.sif", "Singularity, Apptainer"},
			{"audit inspect -", "standard input"},
		}},
		{"provenance", "IMAGE", "Writes the recipe that the image carries in the form that the build system takes, made of checked values only; of an image without one, what its history and its package databases show.", []example{
			{"audit provenance image.tar.gz", "into the current folder"},
			{"audit provenance -o - image.tar.gz", "to read it"},
			{"audit provenance --known reports image.tar", "pins the base that is among images audited before"},
			{"audit provenance --packages mirror --trusted-key archive.gpg image.tar", "what nobody vouches for apart from what packages make"},
		}},
		{"plan", "IMAGE", "Prints how the image would be built again and whose code that would run. Nothing is run.", []example{
			{"audit plan image.tar.gz", ""},
			{"audit plan -o again image.tar.gz", "with rebuild.sh, to take to a machine that has the builder"},
		}},
		{"rebuild", "IMAGE | PLAN", "Of an image, the whole line, with a rebuild demanded. Of a plan, the build alone: the image that comes out is saved.", []example{
			{"audit rebuild image.tar.gz", ""},
			{"audit rebuild --fresh all --timeout 6h image.tar.gz", "build every store item, whatever the store has"},
			{"audit rebuild -o again.tar.gz plan.json", ""},
		}},
		{"compare", "A B", "Compares B with A as if it were its rebuild: config, layers by digest, files, and a cause for every difference.", []example{
			{"audit compare published.tar.gz mine.tar.gz", ""},
			{"audit compare --require matching --format sarif a.tar b.tar", "for code scanning"},
		}},
		{"batch", "LIST", "Audits the images of a list into one folder: a file or a folder, an OCI layout, docker://HOST/NAMESPACE/, or what nextflow inspect, skopeo list-tags and kubectl get pods print. What is there already is not done again, and any number of workers may use the folder. The exit status says whether each image has a result, and nothing of what it says: 0 it has, 2 the list or the command line is wrong, 3 an image cannot be read or was not done, 75 another try may do it. See audit help fleets.", []example{
			{"audit batch docker://registry.example/lab/ -o found", "all tags of all repositories there"},
			{"audit batch --shard 1/8 --layer-cache layers images.txt -o found", "the first of eight parts"},
			{"audit batch --builder auto --timeout 6h images.txt -o found", "builds them again too"},
		}},
		{"summary", "DIR...", "Puts the reports in folders, those of batches or any others, on one page: what fails or is missing, what has changed since an earlier summary, store paths with several contents, equal recipes with different layers, and all images, the worst first. The exit status is 0 when what is demanded holds for each image and each has a result, else 1.", []example{
			{"audit summary found", ""},
			{"audit summary found --format html -o found/index.html", "one page, without any network"},
			{"audit summary found --since yesterday.json --require explained", ""},
			{"audit summary found --list pipeline.json --format markdown", "for the supplement of a paper"},
		}},
		{"policy", "check FILE | show [NAME] | schema", "Prints a ready policy, to be used as builtin:NAME or to begin with. Checks a policy file, JSON, as --policy takes it, and says what is wrong with it and where: the verdict or the statuses that it demands, the findings that it refuses, the documented differences that it allows, each with path, cause, reason and expires, a day within a year. An allowance changes the exit status only. schema prints the JSON schema of it: all that may stand there.", []example{
			{"audit policy check policy.json", ""},
			{"audit policy show", "which there are"},
			{"audit policy show explained", "to keep it as a file of one's own"},
		}},
		{"man", "", "Prints the manual page, made of the same definitions as this help.", []example{
			{"audit man", "in the language of man(1)"},
		}},
		{"sbom", "IMAGE | A B", "Writes what was found in the image as a bill of materials, the same bytes on every run. Of two images, says what changed between them, by package and version.", []example{
			{"audit sbom image.tar.gz", "SPDX 2.3"},
			{"audit sbom --format cyclonedx -o bill.json image.tar.gz", "CycloneDX 1.6"},
			{"audit sbom old.tar.gz new.tar.gz", "the packages that came, went or changed"},
		}},
		{"report", "REPORT.json", "Renders a stored report again. With --require the exit status judges it too.", []example{
			{"audit report image.audit/report.json", "the summary"},
			{"audit report --format html -o report.html report.json", ""},
			{"audit report --format junit --require equivalent report.json", "for a test reporter"},
		}},
		{"attest", "REPORT.json", "Makes an in-toto statement of a stored report: what was found, of which image, and what that rests on. Signed with --sign it is a bundle of Sigstore too. A statement says who found what; it changes no check and no verdict.", []example{
			{"audit attest image.audit/report.json", "unsigned, for cosign attest-blob --statement"},
			{"audit attest --sign lab.key image.audit/report.json", ""},
			{"audit attest --sign lab.key --to docker://registry.example/lab/statements report.json", "where others look for it"},
		}},
		{"verify", "IMAGE", "Asks whether enough independent rebuilders, whose keys you give, built the image themselves and found the same. Statements are looked for beside the image, in its registry, in the repositories of rebuilders and in files. One operator has one voice; who made the image has none; one who is trusted and dissents decides. The exit status is 0 when enough agree, else 1.", []example{
			{"audit verify --key a=a.pub --key b=b.pub docker://registry.example/lab/tool:1.0", "both must agree"},
			{"audit verify --trust trust.json --at-least 2 image.tar", ""},
			{"audit verify --key a=a.pub --from docker://a.example/statements --evidence b.json image.tar", ""},
		}},
		{"keygen", "NAME", "Makes a key pair of Ed25519: NAME.key signs statements, NAME.pub verifies them.", []example{
			{"audit keygen lab", ""},
		}},
		{"ci", "github | gitlab", "Prints the files with which a CI service audits an image and stops the pipeline when the policy does not hold: for GitHub a workflow and an action, with annotations, a summary, SARIF and the bills of materials; for GitLab a component, with JUnit and CycloneDX. Actions are pinned by commit, and permissions are those that are needed. Whoever may change these files or the policy may open the gate: protect them (audit help gate).", []example{
			{"audit ci github", "the workflow, to read it"},
			{"audit ci github -o .", "the workflow and the action, into the repository"},
			{"audit ci gitlab -o .", "the component, and a pipeline that includes it"},
		}},
		{"config", "", "Shows what each flag of audit run is set to, and by what. A flag stands in the command line, in the variable AUDIT_NAME (one that may be given again with a value a line), or in a file of lines \"name = value\" that --config names; the first of these that has it counts. A file .audit.conf in the working folder sets format, quiet and verbose alone, since who may change a folder must not loosen the gate that judges what is in it. Secrets are not shown.", []example{
			{"audit config", ""},
			{"audit config --json --config ci.conf", "for programs"},
		}},
		{"version", "", "Says which audit this is: its version, the commit that it was built from and its date, the version of Go, and the platform.", []example{
			{"audit version", ""},
			{"audit version --json", "for programs"},
		}},
		{"completion", "bash | zsh | fish", "Prints a script that lets a shell complete verbs, flags and their values.", []example{
			{"source <(audit completion bash)", "in ~/.bashrc, or the same with zsh in ~/.zshrc"},
			{"audit completion fish -o ~/.config/fish/completions/audit.fish", ""},
		}},
	}
}

// withGuides puts the guides into the commands of their verbs.
func withGuides(commands []*cli.Command) []*cli.Command {
	for _, c := range commands {
		c.OnUsageError = onUsageError
		for _, g := range guides() {
			if g.verb == "rebuild" {
				g.examples = append(g.examples, systemExamples()...)
			}
			if g.verb == c.Name {
				c.UsageText = "audit " + g.verb + " [flags] " + g.args
				c.Description = g.text()
			}
		}
	}
	return commands
}

// helpWidth is where the words of a guide are broken.
const helpWidth = 84

func (g guide) text() string {
	var b strings.Builder
	b.WriteString(wrapped("", g.about) + "\n\nExamples:\n")
	for _, e := range g.examples {
		line := "  " + e.command
		if e.about != "" {
			line = fmt.Sprintf("  %-60s  # %s", e.command, e.about)
		}
		b.WriteString("\n" + line)
	}
	return b.String()
}

// wrapped breaks a text between words, with an indent before each line.
func wrapped(indent, text string) string {
	var b strings.Builder
	b.WriteString(indent)
	column := 0
	for _, word := range strings.Fields(text) {
		if column > 0 && column+len(word) > helpWidth-len(indent) {
			b.WriteString("\n" + indent)
			column = 0
		} else if column > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(word)
		column += len(word) + 1
	}
	return b.String()
}

// The headings under which the help of a verb has its flags; those of what is written and
// printed stand under none.
const (
	helpBuilding   = "To build it again:"
	helpDemands    = "What is demanded:"
	helpReading    = "Where the image is read:"
	helpSigners    = "Who signed, and who has the sources:"
	helpStatements = "Statements about the image:"
)

// grouped puts flags under a heading of the help.
func grouped(heading string, flags []cli.Flag) []cli.Flag {
	for _, f := range flags {
		switch f := f.(type) {
		case *cli.BoolFlag:
			f.Category = heading
		case *cli.DurationFlag:
			f.Category = heading
		case *cli.IntFlag:
			f.Category = heading
		case *cli.StringFlag:
			f.Category = heading
		case *cli.StringSliceFlag:
			f.Category = heading
		}
	}
	return flags
}
