package report

import "strings"

// special are the characters that mean something in GitHub's Markdown. Those of HTML
// become entities, the others get a backslash.
var special = func() *strings.Replacer {
	pairs := []string{"&", "&amp;", "<", "&lt;", ">", "&gt;", "://", ":&#8203;//", "@", "&#64;"}
	for _, c := range "\\`*_[]#|~!$" {
		pairs = append(pairs, string(c), "\\"+string(c))
	}
	return strings.NewReplacer(pairs...)
}()

// escape makes text from outside plain text on one line of Markdown, also in a table.
// Addresses of the web do not become links, nor names after an @ mentions.
func escape(text string) string { return special.Replace(clean(text)) }

// code makes text from outside a code span that is also good in a table. A backtick
// cannot stand in one, so it becomes an apostrophe.
func code(text string) string {
	return "`" + strings.NewReplacer("`", "'", "|", "¦").Replace(clean(text)) + "`"
}
