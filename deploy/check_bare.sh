#!/bin/bash
# Try `make demo` and `make test` on a bare Debian 12 that has Python, make and git, and nothing else.
#
#   deploy/check_bare.sh [--only setup|demo|test|COMMAND] [FOLDER]
#
# debootstrap makes a bare root, and HEAD is cloned into it. The root is temporary, or FOLDER, which is kept for
# the next run. --only tries one part: the installation for tests, one of the two commands, or any other command.
# Nothing is installed on the host. The root uses the host's way to packages (mirror, proxies, settings of pip).
# shellcheck disable=SC2329 # the functions are called by the trap
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
suite=bookworm
clone=/srv/checkout

say() { echo "check_bare: $*" >&2; }
fail() { say "$*"; exit 2; }

parts=(demo test)
folder=
while [ $# -gt 0 ]; do
    case $1 in
    --only)
        [ $# -ge 2 ] || fail "--only takes setup, demo, test or a command"
        parts=("$2")
        shift
        ;;
    -h | --help)
        sed -n '2,/^# shellcheck/{/^# shellcheck/d; s/^# \{0,1\}//p}' "$0"
        exit 0
        ;;
    -*) fail "there is no option $1, only --only and --help" ;;
    *) folder=$1 ;;
    esac
    shift
done
export PATH="$PATH:/usr/sbin:/sbin"
[ "$(id -u)" -eq 0 ] || fail "this must run as root: run \"sudo deploy/check_bare.sh\""
command -v debootstrap >/dev/null || fail "debootstrap is missing: run \"apt-get install debootstrap\""
command -v git >/dev/null || fail "git is missing: run \"apt-get install git\""

made=
is_temporary=no
if [ -z "$folder" ]; then
    is_temporary=yes
    folder=$(mktemp -d)
fi
mkdir -p "$folder"
root=$(cd "$folder" && pwd -P)
case $root in
/ | *[[:space:]\\]*) fail "the bare root cannot be /, or a folder with a space in its name" ;;
esac
chmod 755 "$root"

mounted() { awk -v root="$root/" 'index($2, root) == 1 { print $2 }' /proc/mounts | sort -r; }

end_processes() {
    for process in /proc/[0-9]*; do
        [ "$(readlink "$process/root" 2>/dev/null)" != "$root" ] || kill "-$1" "${process#/proc/}" 2>/dev/null || true
    done
}

# First end what still runs in the root. As long as something is mounted there, remove nothing.
clean_up() {
    trap '' HUP INT TERM
    [ -z "$made" ] || rm -f "$made"
    end_processes TERM
    sleep 1
    end_processes KILL
    mounted | while read -r point; do umount "$point" 2>/dev/null || umount --lazy "$point" || true; done
    if ! left=$(mounted) || [ -n "$left" ]; then
        say "not removed, because something is still mounted in it: $root"
    elif [ "$is_temporary" = yes ]; then
        rm -rf --one-file-system "$root"
    fi
}
trap clean_up EXIT
trap 'exit 130' HUP INT TERM

# The mirror of the host's apt, or Debian's own.
mirror_of() {
    # shellcheck disable=SC2016 # apt fills it in
    found=$(apt-get indextargets --format '$(REPO_URI)' "Label: $1" "Codename: $2" 2>/dev/null | head -n 1) || true
    echo "${found:-$3}"
}
mirror=$(mirror_of Debian $suite http://deb.debian.org/debian)
security=$(mirror_of Debian-Security $suite-security http://deb.debian.org/debian-security)

if [ ! -e "$root/etc/debian_version" ]; then
    [ -z "$(ls -A "$root")" ] || fail "$root is neither empty nor a bare root"
    say "making a bare Debian in $root"
    made=$(mktemp)
    if ! debootstrap --variant=minbase --include=python3,python3-venv,make,git $suite "$root" "$mirror" >"$made" 2>&1; then
        reason=$(grep -m 1 '^[EW]: ' "$made" || tail -n 1 "$made")
        fail "debootstrap failed (${reason#[EW]: })"
    fi
fi

mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"

# Host names and packages are found as on the host.
for file in /etc/resolv.conf /etc/hosts; do
    [ ! -e $file ] || cp --remove-destination -L $file "$root$file"
done
cat >"$root/etc/apt/sources.list" <<END
deb $mirror $suite main
deb $mirror $suite-updates main
deb $security $suite-security main
END
apt-config dump --format '%F "%v";%n' Acquire 2>/dev/null |
    grep -iE '^Acquire::(https?|Check-|Retries|ForceIPv)' >"$root/etc/apt/apt.conf.d/90host" || true

settings=()
while IFS= read -r -d '' setting; do
    case $setting in
    PIP_CERT=*) ;;
    PIP_*=* | http_proxy=* | https_proxy=* | no_proxy=* | HTTP_PROXY=* | HTTPS_PROXY=* | NO_PROXY=*)
        settings+=("$setting")
        ;;
    esac
done < <(env -0)
authorities=${PIP_CERT:-${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}}
if [ -f "$authorities" ]; then
    cp -L "$authorities" "$root/etc/authorities-of-host.crt"
    settings+=(PIP_CERT=/etc/authorities-of-host.crt)
fi
configs=()
carry_over() {
    [ -e "$1" ] || return 0
    mkdir -p "$(dirname "$root$2")"
    cp -rLT "$1" "$root$2"
    configs+=("$root$2")
}
carry_over /etc/pip.conf /etc/pip.conf
carry_over /etc/xdg/pip /etc/xdg/pip
carry_over "${XDG_CONFIG_HOME:-$HOME/.config}/pip" /root/.config/pip
carry_over "$HOME/.pip" /root/.pip

# Files and folders in pip's settings are made available too, read-only; of an index, the folder above its pages.
named() {
    printf '%s\n' "${settings[@]}"
    for config in "${configs[@]}"; do find "$config" -type f -exec cat {} +; done
}
named | grep -v '^ *#' | tr ' =,\t' '[\n*]' | sed -n 's|^file:///|/|; s|/simple/*$||; \|^/.|p' | sort -u | while read -r path; do
    if [ -d "$path" ]; then
        mkdir -p "$root$path"
        mount --bind "$path" "$root$path"
        mount -o remount,bind,ro "$root$path" || true
    elif [ -f "$path" ] && [ ! -e "$root$path" ]; then
        mkdir -p "$(dirname "$root$path")"
        cp -L "$path" "$root$path"
    fi
done

# git may read the checkout and the clone, whoever owns them.
printf '[safe]\n\tdirectory = *\n' >"$root/etc/gitconfig"
export GIT_CONFIG_GLOBAL="$root/etc/gitconfig"
head=$(git -C "$here" rev-parse HEAD)
[ -d "$root$clone" ] || git clone --quiet --no-checkout "$here" "$root$clone"
git -C "$root$clone" fetch --quiet "$here" HEAD
git -C "$root$clone" checkout --quiet --force --detach "$head"
[ -z "$(git -C "$here" status --porcelain)" ] || say "changes that are not committed are not tried"

in_root() {
    chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        LANG=C.UTF-8 TERM="${TERM:-dumb}" "${settings[@]}" /bin/sh -c "cd $clone && $1" </dev/null
}

results=()
all_good=0
for part in "${parts[@]}"; do
    case $part in
    setup) command="deploy/setup.sh dev" ;;
    demo) command="make demo DEMO_SECONDS=45" ;;
    test) command="make test" ;;
    *) command=$part ;;
    esac
    say "$command"
    log="$root/var/log/check_bare.log"
    status=0
    in_root "$command" 2>&1 | tee "$log" || status=$?
    passed=$({ grep -oE '[0-9]+ passed' "$log" || true; } | awk '{ sum += $1 } END { print sum + 0 }')
    result="$command: exit status $status"
    [ "$passed" -eq 0 ] || result="$result, $passed tests passed"
    results+=("$result")
    [ $status -eq 0 ] || all_good=1
done
say "in a bare Debian 12, at ${head:0:9}:"
printf '%s\n' "${results[@]}"
exit $all_good
