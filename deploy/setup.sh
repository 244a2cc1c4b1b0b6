#!/bin/sh
# Install what is missing: Debian packages with apt, Python packages into .venv.
# `setup.sh dev` adds what tests and lint need, `setup.sh bench` what benches need, `setup.sh cluster` Ray.
# If nothing is missing, it ends at once.
set -eu
cd "$(dirname "$0")/.."
kind=${1:-run}

say() { echo "setup: $*" >&2; }

has_library() { PATH="$PATH:/usr/sbin:/sbin" ldconfig -p | grep -qF "$1 "; }

missing_packages() {
    command -v ffmpeg >/dev/null && command -v ffprobe >/dev/null || echo ffmpeg
    PATH="$PATH:/usr/sbin" command -v nginx >/dev/null || echo nginx
    [ -f /usr/lib/nginx/modules/ngx_rtmp_module.so ] || [ -f /usr/share/nginx/modules/ngx_rtmp_module.so ] ||
        echo libnginx-mod-rtmp
    # It limits the connections of each address.
    [ -f /usr/lib/nginx/modules/ngx_stream_module.so ] || [ -f /usr/share/nginx/modules/ngx_stream_module.so ] ||
        echo libnginx-mod-stream
    [ -f /usr/share/fonts/truetype/roboto/unhinted/RobotoCondensed-Bold.ttf ] || echo fonts-roboto-unhinted
    [ -f /usr/share/fonts/truetype/noto/NotoSansDevanagari-Bold.ttf ] || echo fonts-noto-core
    has_library libfribidi.so.0 || echo libfribidi0
    command -v curl >/dev/null || echo curl
    command -v setpriv >/dev/null || echo util-linux
    [ "$kind" != dev ] || command -v systemd-analyze >/dev/null || echo systemd
    [ "$kind" != dev ] || command -v openssl >/dev/null || echo openssl
    python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3 python3-venv
    [ "$kind" != dev ] || has_browser || echo chromium
    # Playwright brings its own Node.js, but not these libraries.
    [ "$kind" != dev ] || has_library libatomic.so.1 || echo libatomic1
    [ "$kind" != dev ] || has_library libstdc++.so.6 || echo libstdc++6
    [ "$kind" != bench ] || command -v cc >/dev/null || echo gcc libc6-dev
    [ "$kind" != bench ] || has_gstreamer || echo gstreamer1.0-tools gstreamer1.0-libav \
        gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly
}

# For the tests of the dashboard; without a browser they are skipped. On Ubuntu it is a snap, not a package.
has_browser() {
    command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null ||
        ! grep -qs '^ID=debian' /etc/os-release
}

# A bench compares the service with it: RTMP is in the bad plugins, x264 in the ugly ones, AAC in libav.
has_gstreamer() {
    command -v gst-launch-1.0 >/dev/null || return 1
    for element in rtmpsrc flvmux gdkpixbufoverlay x264enc avdec_h264; do
        gst-inspect-1.0 --exists $element || return 1
    done
}

# Without a terminal nobody can enter a password for sudo.
can_be_root() {
    [ "$(id -u)" -eq 0 ] || { command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; }
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# Debian starts nginx on port 80 as soon as it is installed, which nobody asked for.
# So it is held back while apt runs, and not enabled for the next boot.
policy=/usr/sbin/policy-rc.d
mark='# by setup.sh, while apt-get runs'

drop_policy() {
    if grep -qsF "$mark" $policy; then as_root rm -f $policy; fi
}

install_packages() {
    nginx_is_new=no
    if [ "$(dpkg-query -W -f '${db:Status-Status}' nginx 2>/dev/null)" != installed ]; then
        nginx_is_new=yes
        trap 'drop_policy; rm -f "$output"' EXIT
        drop_policy
        if [ ! -e $policy ]; then
            printf '#!/bin/sh\n%s\nexit 101\n' "$mark" | as_root tee $policy >/dev/null
            as_root chmod 755 $policy
        fi
    fi
    # If a package list cannot be updated, the present one may still do: the installation shows.
    as_root apt-get update -qq -o DPkg::Lock::Timeout=600 >"$output" 2>&1 || true
    # shellcheck disable=SC2086 # a list of names
    if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o DPkg::Lock::Timeout=600 $1 >>"$output" 2>&1; then
        say "apt-get could not install $1 ($(reason '^[EW]: '))." \
            "Fix that, then run \"${sudo}apt-get update && ${sudo}apt-get install $1\""
        exit 1
    fi
    drop_policy
    if [ $nginx_is_new = yes ] && [ -d /run/systemd/system ]; then
        as_root systemctl disable --quiet --now nginx || say "could not disable the nginx service on port 80"
    fi
}

# The first complaint in the output of a command.
reason() {
    line=$(grep -m 1 "$1" "$output" | sed "s/$1//; s/[.:]* *\$//")
    echo "${line:-without a reason}"
}

# Say why nothing can be installed, and what to do.
say_missing() {
    case $1 in *' '*) are=are ;; *) are=is ;; esac
    if ! command -v apt-get >/dev/null; then
        say "$1 $are missing and there is no apt-get: these are Debian's names, install them with your system's installer"
    elif [ -n "$sudo" ]; then
        say "$1 $are missing and sudo asks for a password: run \"sudo apt-get install $1\""
    else
        say "$1 $are missing and you are not root: run \"apt-get install $1\" as root"
    fi
}

sudo=
[ "$(id -u)" -eq 0 ] || ! command -v sudo >/dev/null || sudo='sudo '

packages=$(missing_packages | tr '\n' ' ')
packages=${packages% }
if [ -n "$packages" ] && { ! command -v apt-get >/dev/null || ! can_be_root; }; then
    say_missing "$packages"
    exit 1
fi

requirements=requirements.txt
[ "$kind" = run ] || requirements=requirements-$kind.txt
version=$(cat requirements*.txt | cksum | cut -d ' ' -f 1)
stamp=.venv/$kind-$version
has_python_packages() { [ -f "$stamp" ] && .venv/bin/python -c 'import flask' 2>/dev/null; }

if [ -z "$packages" ] && has_python_packages; then exit 0; fi
output=$(mktemp)
trap 'rm -f "$output"' EXIT
trap 'exit 1' HUP INT TERM

if [ -n "$packages" ]; then
    say "installing $packages"
    install_packages "$packages"
fi

if ! has_python_packages; then
    say "installing Python packages into .venv"
    .venv/bin/python -m pip --version >/dev/null 2>&1 || python3 -m venv --clear .venv
    # Stamps of other requirements are no longer valid: after going back to an earlier checkout, pip must run again.
    for old in .venv/*-[0-9]*; do
        case $old in *-"$version") ;; *) rm -f "$old" ;; esac
    done
    if ! .venv/bin/python -m pip install --quiet --disable-pip-version-check -r "$requirements" >"$output" 2>&1; then
        why=$(reason '^ERROR: ')
        if grep -qE 'NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError' "$output"; then
            why="the package index cannot be reached"
        fi
        say "pip could not install $requirements ($why)." \
            "Fix that, then run \".venv/bin/python -m pip install -r $requirements\""
        exit 1
    fi
    touch "$stamp"
fi

# For a test, which is skipped without it.
if [ "$kind" = dev ] && [ ! -d .venv/node/node_modules/node-media-server ] && command -v npm >/dev/null; then
    mkdir -p .venv/node
    npm install --silent --no-audit --no-fund --prefix .venv/node node-media-server@2.7.4 >"$output" 2>&1 ||
        say "npm could not install node-media-server: one test is skipped"
fi
