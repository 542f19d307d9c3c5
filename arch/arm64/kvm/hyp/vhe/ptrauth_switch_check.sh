#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Checks that an object keeps the rules of code that switches APIA in the middle
# of the world switch (ptrauth_switch.rs explains them):
#
#  - no instruction signs or authenticates anything;
#  - no calls, no jumps out of the object, nothing that could panic;
#  - no use of the stack, of x18 or of SP_EL0;
#  - no data among the instructions;
#  - all code lies in .noinstr.text, and the expected functions are there.
#
# With CFI, the word before a function is the hash of its type. It may look like any
# instruction. The script accepts it where nothing can execute it: after a RET or at the
# beginning of the section, with no jump to it.
#
# Usage: ptrauth_switch_check.sh <objdump of LLVM or GNU> <object> <function>...

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

# Judges the word that was read last. It waits until the next one is known.
function judge(   op) {
	if (insn == "")
		return
	op = insn
	sub(/[ \t].*/, "", op)
	instructions++

	if (section != ".noinstr.text")
		violation("outside .noinstr.text, in " section ": " insn)

	if (op ~ /^(pac|aut|xpac|reta|bra[ab]|blra[ab]|ereta|ldra)/)
		violation("pointer authentication: " insn)
	else if (op ~ /^(bl|blr|br)$/)
		violation("call: " insn)
	else if (op ~ /^(brk|udf|hlt|svc|hvc|smc|<unknown>)$/)
		violation("trap: " insn)
	else if (op ~ /^\./)
		violation("data: " insn)
	else if (insn ~ /(^|[^a-z0-9_])w?sp([^a-z0-9_]|$)/)
		violation("stack: " insn)
	else if (insn ~ /[^a-z0-9_][xw]18([^0-9]|$)/)
		violation("x18: " insn)
	else if (tolower(insn) ~ /sp_el0/)
		violation("SP_EL0: " insn)

	if (op ~ /^(b|b\..*|bc\..*|cbn?z|tbn?z)$/ && match(insn, /[0-9a-fx]+ </)) {
		target = substr(insn, RSTART, RLENGTH - 2)
		sub(/^0x/, "", target)
		jumps[target] = where ": " insn
	}

	# Nothing executes padding after a RET.
	if (op == "ret") {
		dead = 1
		padding = ""
	} else if (op == "nop" && dead) {
		padding = padding " " address
	} else {
		dead = 0
	}
	insn = ""
}

BEGIN { where = "object" }

/^Disassembly of section / {
	judge()
	section = $4
	sub(/:$/, "", section)
	dead = 1
	padding = ""
	next
}

# The start of a function, or of what is before the first.
/^[0-9a-f]+ <.*>:$/ {
	name = $2
	gsub(/[<>:]/, "", name)
	wanted = index(" " expected " ", " " name " ") && section == ".noinstr.text"
	if (wanted && insn != "" && dead) {
		unreachable = unreachable padding " " address
		insn = ""
	} else {
		judge()
	}
	# What is before the first function goes by the name of the section or as "f-0x4".
	if (name != section && name !~ /-0x[0-9a-f]+$/)
		dead = 0
	where = name
	found[where] = 1
	next
}

# A relocation means that the code refers to something outside the object.
/R_AARCH64_/ { judge(); violation("refers to " $NF); next }

# An instruction, or data: of that, LLVM shows the bytes as well.
/^ *[0-9a-f]+:/ {
	judge()
	address = $1
	sub(/:$/, "", address)
	insn = $0
	sub(/^ *[0-9a-f]+:[ \t]*/, "", insn)
	sub(/^([0-9a-f][0-9a-f] )+[ \t]*/, "", insn)
}

END {
	judge()
	n = split(unreachable, words, " ")
	for (i = 1; i <= n; i++) {
		if (words[i] in jumps) {
			split(jumps[words[i]], jump, ": ")
			where = jump[1]
			violation("jump to what is no instruction: " jump[2])
		}
	}
	where = "object"
	n = split(expected, names, " ")
	for (i = 1; i <= n; i++)
		if (!(names[i] in found))
			violation("no function " names[i])
	if (!n || instructions < n)
		violation("nothing to check")
	exit failed
}'
