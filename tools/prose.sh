#!/usr/bin/env bash
# prose.sh [LEVEL]: reads all pages with vale: spelling, words to leave out, words
# twice, long sentences. Fails for an error; a warning (LEVEL warning, the default)
# is told only. Exits with 75 without a dictionary of Portuguese.
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

level=${1:-warning}
if [ ! -e /usr/share/hunspell/pt_BR.dic ]; then
	echo "prose: there is no /usr/share/hunspell/pt_BR.dic: make deps"
	exit 75
fi
read_pages() { vale --config tools/vale/vale.ini --no-global --output line "$@"; }

# A style that finds nothing is no check.
want='english.md:3:English.Words english.md:3:Vale.Spelling english.md:3:Vale.Repetition
english.md:5:English.Long english.md:5:English.TooLong portuguese.md:3:Portuguese.Words
portuguese.md:3:Portuguese.Spelling portuguese.md:3:Portuguese.Spelling portuguese.md:3:Portuguese.Repetition
portuguese.md:5:Portuguese.Long portuguese.md:5:Portuguese.TooLong'
found=$(read_pages tools/vale/testdata || true)
found=$(sed 's|^.*/||' <<<"$found" | cut -d: -f1,2,4 | sort)
if [ "$found" != "$(tr ' ' '\n' <<<"$want" | sort)" ]; then
	printf 'prose: in tools/vale/testdata was found, instead of what is there:\n%s\n' "$found" >&2
	exit 1
fi

mapfile -d '' pages < <(find . \( -name node_modules -o -name testdata -o -name '.?*' -o -path ./bin \) -prune -o -name '*.md' -type f -print0 | sort -z)
read_pages --minAlertLevel="$level" "${pages[@]#./}"
echo "prose: ${#pages[@]} pages read"
