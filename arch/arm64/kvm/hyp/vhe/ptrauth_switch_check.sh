#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Checks that an object keeps the rules of code that switches APIA in the middle
# of the world switch (ptrauth_switch.rs says why they are what they are):
#
#  - no instruction signs or authenticates anything;
#  - no calls, no jumps out of the object, nothing that could panic;
#  - no use of the stack, of x18 or of SP_EL0;
#  - all code lies in .noinstr.text, and the expected functions are there.
#
# Usage: ptrauth_switch_check.sh <objdump> <object> <function>...

set -eu

objdump=$1
object=$2
shift 2

# A failure of objdump must not look like an object without violations.
listing=$("$objdump" --disassemble --reloc --no-show-raw-insn "$object")

echo "$listing" | awk -v object="$object" -v expected="$*" '
function violation(what) {
	print object ": " where ": " what > "/dev/stderr"
	failed = 1
}

BEGIN { where = "object" }

/^Disassembly of section / {
	section = $4
	sub(/:$/, "", section)
	next
}

# The start of a function.
/^[0-9a-f]+ <.*>:$/ {
	where = $2
	gsub(/[<>:]/, "", where)
	found[where] = 1
	next
}

# A relocation means that the code refers to something outside the object.
/R_AARCH64_/ { violation("refers to " $NF); next }

# An instruction.
/^ *[0-9a-f]+:/ {
	insn = $0
	sub(/^ *[0-9a-f]+:[ \t]*/, "", insn)
	op = insn
	sub(/[ \t].*/, "", op)
	instructions++

	if (section != ".noinstr.text")
		violation("outside .noinstr.text, in " section ": " insn)

	if (op ~ /^(pac|aut|xpac|reta|bra[ab]|blra[ab]|ereta|ldra)/)
		violation("pointer authentication: " insn)
	else if (op ~ /^(bl|blr|br)$/)
		violation("call: " insn)
	else if (op ~ /^(brk|udf|hlt|svc|hvc|smc|\.inst|<unknown>)$/)
		violation("trap: " insn)
	else if (insn ~ /(^|[^a-z0-9_])w?sp([^a-z0-9_]|$)/)
		violation("stack: " insn)
	else if (insn ~ /[^a-z0-9_][xw]18([^0-9]|$)/)
		violation("x18: " insn)
	else if (tolower(insn) ~ /sp_el0/)
		violation("SP_EL0: " insn)
}

END {
	where = "object"
	n = split(expected, names, " ")
	for (i = 1; i <= n; i++)
		if (!(names[i] in found))
			violation("no function " names[i])
	if (!n || instructions < n)
		violation("nothing to check")
	exit failed
}'
