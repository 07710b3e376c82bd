package report

import (
	"fmt"
	"io"
	"strings"
)

// maxAnnotations is how many lines a step of GitHub Actions shows at one level.
const maxAnnotations = 10

// WriteAnnotations writes what a policy demands in vain as workflow commands of GitHub
// Actions, which its runner shows beside the job: an error each, with the file of the
// image, and what to do. Nothing of the image becomes a command: line ends, percent signs
// and control characters are escaped.
func WriteAnnotations(w io.Writer, r *Report) error {
	var b strings.Builder
	violations := r.Policy.Violations
	shown := len(violations)
	if shown > maxAnnotations {
		shown = maxAnnotations - 1
	}
	for _, v := range violations[:shown] {
		b.WriteString(annotation("audit: "+r.Policy.ruleName(v), r.Demand(v)+". "+r.ToDo(v)))
	}
	var more int64
	for _, v := range violations[shown:] {
		more += v.count()
	}
	if more > 0 {
		b.WriteString(annotation("audit", fmt.Sprintf("%d more that the policy demands in vain are in the report", more)))
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("writing the annotations: %w", err)
	}
	return nil
}

// annotation is one command. What follows a colon or a comma would be another property.
func annotation(title, text string) string {
	escape := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	return fmt.Sprintf("::error title=%s::%s\n", property.Replace(Printable(clip(title, maxValue))), escape.Replace(Printable(clip(text, sarifClip))))
}
