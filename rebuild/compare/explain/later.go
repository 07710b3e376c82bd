package explain

import (
	"regexp"
	"strconv"
	"time"
)

// isLater says whether a token of data is a date after the latest time of a build, such as
// the day until which something is valid. East of here it may be the next day already.
// Of a date that has no year it is not known.
func (d *diff) isLater(t token, data []byte) bool {
	if d.latest.IsZero() || t.reason != Date {
		return false
	}
	day, known := dayOf(string(data[t.from:t.to]))
	return known && day > d.latest.UTC().AddDate(0, 0, 1).Format("2006-01-02")
}

// dayOf is the day of a date in any of the forms that are known here, or the first of its
// year where it is not written as year, month and day.
func dayOf(text string) (day string, known bool) {
	for _, form := range []struct {
		digits string
		day    func(found string) string
	}{
		{`^\d{5}$`, func(days string) string { return dayAt(days, 24*3600) }}, // since 1970, as in shadow(5)
		{`^(\d{10})(?:\.\d+|(?:\d{3}){1,3})?$`, func(seconds string) string { return dayAt(seconds, 1) }},
		{`^(\d{4}[-/]?\d\d[-/]?\d\d)(?:\D.*|\d{6})?$`, func(day string) string {
			digits := regexp.MustCompile(`\D`).ReplaceAllString(day, "")
			return digits[:4] + "-" + digits[4:6] + "-" + digits[6:]
		}},
		{`(?:^|\D)((?:19[7-9]|20\d)\d)(?:\D|$)`, func(year string) string { return year + "-01-01" }},
	} {
		if found := regexp.MustCompile(form.digits).FindStringSubmatch(text); found != nil {
			return form.day(found[len(found)-1]), true
		}
	}
	return "", false
}

// dayAt is the day that lies a number of units after 1970, each of so many seconds.
func dayAt(number string, seconds int64) string {
	n, _ := strconv.ParseInt(number, 10, 64)
	return time.Unix(n*seconds, 0).UTC().Format("2006-01-02")
}
