# shellcheck shell=bash
# What the scripts here share. To be sourced, at the root of the repository.

apt_install() {
    command -v apt-get >/dev/null || fail "please install: $*"
    say "installing $*"
    local as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
    "${as_root[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "$@"
}

say() {
    printf '\n== %s\n' "$*"
}

fail() {
    printf '%s\n' "$*" >&2
    exit 2
}
