# Shared by the scripts beside it; sourced, not run.
#
# Each `need_…` is quick when the thing is there, and otherwise installs it and says so aloud.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT"
# Servers live in sbin on Debian (mosquitto), and rustup's tools may not be on the path of a plain shell.
TARGET=${CARGO_TARGET_DIR:-$ROOT/target}
TOOLS="$TARGET/tools"
export PATH="$PATH:/usr/sbin:/sbin:$HOME/.cargo/bin:$TOOLS/bin"
RUST_MIN=1.95
# A snapshot that differs fails its test and writes nothing. INSTA_UPDATE=always with cargo itself takes new ones.
export INSTA_UPDATE=no
if [ "${CI:-}" = true ]; then
    # A run that nobody edits under gains nothing from incremental compilation.
    export CARGO_INCREMENTAL=${CARGO_INCREMENTAL:-0}
fi

say() { printf '%s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# section TITLE COMMAND...: runs it under a heading and notes how long it took. The first failure ends the script.
SUMMARY=()
section() {
    local title=$1 began=$SECONDS status=0
    shift
    printf '\n== %s\n' "$title"
    # Not `"$@" || …`: that would switch `set -e` off inside a function that runs here.
    set +e
    (set -e; "$@")
    status=$?
    set -e
    if [ $status -eq 0 ]; then
        SUMMARY+=("$(printf 'ok      %4d s  %s' $((SECONDS - began)) "$title")")
        printf -- '-- %s: ok, %d s\n' "$title" $((SECONDS - began))
    else
        SUMMARY+=("$(printf 'FAILED  %4d s  %s' $((SECONDS - began)) "$title")")
        summary
        die "$title failed (status $status); its output is above"
    fi
}
summary() { printf '\n== summary: %d s in all\n' $SECONDS; printf '%s\n' "${SUMMARY[@]}"; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else die "this needs root and there is no sudo: $*"
    fi
}

# apt_install PACKAGE...: without asking first whether they are there.
APT_UPDATED=
apt_install() {
    command -v apt-get >/dev/null || die "please install by hand, this system has no apt: $*"
    say "installing with apt: $*"
    if [ -z "$APT_UPDATED" ]; then
        as_root apt-get update -qq
        APT_UPDATED=yes
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# need_apt PACKAGE...: Debian packages, by name.
need_apt() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] || apt_install "${missing[@]}"
}

# need_arm64_apt: apt knows Debian's packages for the Raspberry Pi.
need_arm64_apt() {
    dpkg --print-foreign-architectures | grep -qx arm64 && return
    [ "$(dpkg --print-architecture)" = arm64 ] && return
    say 'adding the architecture arm64 to apt'
    as_root dpkg --add-architecture arm64
    as_root apt-get update -qq
    APT_UPDATED=yes
}

# need COMMAND=PACKAGE...: a command, whoever installed it; else Debian's package of it.
need() {
    local missing=() pair
    for pair in "$@"; do
        command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
    done
    [ ${#missing[@]} -eq 0 ] || apt_install "${missing[@]}"
}

# at_least VERSION MINIMUM
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }
rust_version() { "${1:-rustc}" --version 2>/dev/null | awk '{print $2}'; }

# What packages hold: the demo and the space's own login, and not the platforms' stories, whose simulators are a megabyte of code.
PACKAGED=(--no-default-features --features "${DOORWARD_FEATURES-demo,oidc}")

# packaged_code: from here on cargo links as packages are linked, by packaging/link-gcc; readable names tell it which functions are
# which, and stripping takes them out. For another machine set DOORWARD_CC and DOORWARD_NM as well.
packaged_code() {
    local triple=${1:-$(rustc -vV | sed -n 's/^host: //p')}
    triple=$(tr 'a-z-' 'A-Z_' <<<"$triple")
    need python3=python3 c++filt=binutils
    "$ROOT/packaging/link-gcc" --lld >/dev/null 2>&1 || need_apt lld-19
    export "CARGO_TARGET_${triple}_LINKER=$ROOT/packaging/link-gcc"
    export "CARGO_TARGET_${triple}_RUSTFLAGS=-Csymbol-mangling-version=v0"
}

# build_fast: the benchmark, and the daemon as packages have it but for the minutes of fat LTO.
build_fast() {
    packaged_code
    cargo build --locked --profile fast -p doorward -p doorward-bench --no-default-features \
        --features doorward/demo,doorward/oidc,doorward-bench/cedar
}

# need_rust: cargo, rustfmt and clippy of at least RUST_MIN, and a C compiler for the C in our dependencies.
need_rust() {
    need gcc=gcc ar=binutils git=git
    need_apt libc6-dev
    local have
    have=$(rust_version || true)
    if [ -z "$have" ] || ! at_least "$have" "$RUST_MIN"; then
        if command -v rustup >/dev/null; then
            die "Rust $RUST_MIN or newer is needed, and this is ${have:-none}: run 'rustup update stable'"
        fi
        say "Rust $RUST_MIN or newer is needed, and this is ${have:-none}"
        # Debian 12 carries a current Rust, for its browsers, in packages of another name; it comes as a security update.
        apt_install rustc-web cargo-web rustfmt-web rust-web-clippy ca-certificates
        hash -r
        have=$(rust_version || true)
        if [ -z "$have" ] || ! at_least "$have" "$RUST_MIN"; then
            die "apt's rustc-web is ${have:-missing}. Debian 12 has a newer one among its security updates: have
bookworm-security in apt's sources (deb http://deb.debian.org/debian-security bookworm-security main), or install Rust
$RUST_MIN or newer from https://rustup.rs"
        fi
    fi
    if ! cargo fmt --version >/dev/null 2>&1 || ! cargo clippy --version >/dev/null 2>&1; then
        if command -v rustup >/dev/null; then
            rustup component add rustfmt clippy
        else
            apt_install rustfmt-web rust-web-clippy
        fi
    fi
    say "$(rustc --version)"
}

# need_venv: Python peers of the tests, pinned, in target/venv.
need_venv() {
    local wanted="$ROOT/scripts/requirements.txt" venv="$ROOT/target/venv"
    local stamp="$venv/.installed"
    if [ -x "$venv/bin/python" ] && cmp -s "$wanted" "$stamp"; then
        return
    fi
    need python3=python3
    python3 -c 'import venv, ensurepip' 2>/dev/null || apt_install python3-venv
    say "installing from PyPI into target/venv: $(grep -v '^#' "$wanted" | tr '\n' ' ')"
    mkdir -p "$ROOT/target"
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$wanted"
    "$venv/bin/python" -c 'import osdp, serial' || die "the Python peers do not import; see above"
    cp "$wanted" "$stamp"
}

# npm_install STAMP PACKAGE@VERSION...: into target/node, unless the stamp there says that they are in.
npm_install() {
    local stamp="$ROOT/target/node/$1"
    shift
    if [ "$(cat "$stamp" 2>/dev/null)" = "$*" ]; then
        return
    fi
    need node=nodejs npm=npm
    say "installing from npm into target/node: $*"
    mkdir -p "$ROOT/target/node"
    npm install --prefix "$ROOT/target/node" --no-audit --no-fund --silent "$@"
    printf '%s\n' "$*" >"$stamp"
}

# need_node_peers: the identity provider of tests/page_oidc.rs, pinned, in target/node.
need_node_peers() { npm_install .installed oidc-provider@8.8.1; }

# need_browser: Debian's chromium, and from npm what drives it and what judges it, pinned, in target/node. Later releases of
# playwright-core want a newer node than Debian 12 has.
need_browser() {
    need chromium=chromium
    npm_install .installed-browser playwright-core@1.61.1 axe-core@4.14.1
}

# need_firefox: Debian's Firefox, which the same playwright-core drives by WebDriver BiDi.
need_firefox() {
    need_browser
    need firefox-esr=firefox-esr
}

# need_cargo_tool NAME VERSION: `cargo NAME`, from the path or else built once into target/tools.
# Built without optimisation: cargo-deny takes 80 s of one core this way and some 8 minutes as released, and it
# runs for a second.
need_cargo_tool() {
    local name="cargo-$1" version=$2
    command -v "$name" >/dev/null && return
    say "installing $name $version from crates.io into target/tools"
    CARGO_TARGET_DIR="$TOOLS/build" CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off \
        CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_DEBUG=0 \
        cargo install --quiet --locked --root "$TOOLS" "$name@$version"
    rm -rf "$TOOLS/build"
}
need_deny() { need_cargo_tool deny 0.20.2; }
need_deb() { need_cargo_tool deb 3.8.0; }
