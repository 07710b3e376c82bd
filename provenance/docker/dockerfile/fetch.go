package dockerfile

import (
	"encoding/csv"
	"slices"
	"strconv"
	"strings"
)

// From returns what an instruction names with --from and in the from of a mount,
// in their order: names and numbers of stages, and images.
func (i Instruction) From() []string {
	var names []string
	switch i.Keyword {
	case "COPY":
		if from := i.Flag("from"); from != "" {
			names = append(names, from)
		}
	case "RUN":
		for _, f := range i.Flags {
			if mount, ok := strings.CutPrefix(f, "--mount="); ok {
				names = append(names, mounted(mount)...)
			}
		}
	}
	return names
}

// mounted returns the from of a mount.
func mounted(mount string) []string {
	fields, err := csv.NewReader(strings.NewReader(mount)).Read()
	if err != nil {
		return nil // BuildKit refuses it
	}
	from := ""
	for _, field := range fields {
		if key, value, _ := strings.Cut(field, "="); strings.EqualFold(key, "from") {
			from = value
		}
	}
	if from == "" {
		return nil
	}
	return []string{from}
}

// isStage says whether the name in a --from means a stage.
func isStage(keyword, name string, stages []string) bool {
	if _, err := strconv.Atoi(name); err == nil && keyword == "COPY" {
		return true
	}
	return slices.Contains(stages, strings.ToLower(name))
}

// Images returns the images that a build of all stages fetches, in their order
// and each once: those in FROM, and in a --from that means no stage.
func Images(stages []Stage) []string {
	var images, all []string
	for _, s := range stages {
		if s.Name != "" {
			all = append(all, s.Name)
		}
	}
	known := map[string]bool{"scratch": true}
	add := func(image string) {
		if !known[image] {
			known[image] = true
			images = append(images, image)
		}
	}
	before := make(map[string]bool)
	for _, s := range stages {
		if !before[s.Image] {
			add(s.Image)
		}
		before[s.Name] = true
		for _, i := range s.Instructions {
			for _, from := range i.From() {
				if !isStage(i.Keyword, from, all) {
					add(from)
				}
			}
		}
	}
	return images
}
