# Reads what a stage of scripts/test printed (without colours) and says what took how long: a line for each
# test program of cargo, file of vitest's and test of Playwright's, "SECONDS WHAT". libtest does not tell the
# time of a single test, but names those that ran for more than a minute: they stand behind their program.

# cargo: which package an integration test belongs to is told by the unit tests before it.
/^ +Running / {
  program = $NF
  gsub(/.*\/|-[0-9a-f]+\)$/, "", program)
  # Unit tests of a program (backend) behind those of its library (milena_backend): the package is the same.
  ends = substr(package, length(package) - length(program) + 1)
  if ($2 == "unittests" && ends != program) package = program
  what = package " " ($2 == "unittests" ? $3 : $2)
  slow = ""
}
/^ +Doc-tests / { what = "documentation of " $2; slow = "" }
/^test .* has been running for over 60 seconds$/ { slow = slow (slow == "" ? "; over 60 s: " : ", ") $2 }
/^test result: .*; finished in [0-9.]+s$/ {
  printf "%.1f %s%s\n", substr($NF, 1, length($NF) - 1), what, slow
}

# vitest: ` ✓ src/a.test.ts (28 tests) 116ms`
/^ +(✓|✘|❯) +[^ ]+\.test\.tsx? .* [0-9]+ms$/ { printf "%.1f vitest %s\n", $NF / 1000, $2 }
# Playwright: `  ✓   34 [views] › a.spec.ts:236:1 › a tick (2.1s)`
/^ +(✓|✘) +[0-9]+ \[.*\] › .* \([0-9.]+(ms|s|m)\)$/ {
  seconds = substr($NF, 2) + 0
  if ($NF ~ /[0-9]ms\)$/) seconds /= 1000
  else if ($NF ~ /[0-9]m\)$/) seconds *= 60
  sub(/^ +[^ ]+ +[0-9]+ /, "")
  sub(/ \([0-9.]+(ms|s|m)\)$/, "")
  printf "%.1f browser %s\n", seconds, $0
}
