#!/bin/sh
# Installs what the tests need beside Python. An installed one is taken as it is; a missing one is
# fetched if we may, and otherwise the tests that need it fail and say so.
# usage: setup.sh [folder of the programs in .venv] [engines: Firefox and WebKit as well]
set -eu
bin=${1:-.venv/bin}
wanted=""

have() { command -v "$1" >/dev/null 2>&1; }

if [ -z "${IRIS_QUART_CHROMIUM:-}" ] && ! have chromium && ! have chromium-browser && ! have google-chrome; then
    if ! "$bin/playwright" install chromium >/dev/null 2>&1; then
        wanted="$wanted chromium"
    fi
fi
have redis-server || have valkey-server || wanted="$wanted redis-server"
have nginx || [ -x /usr/sbin/nginx ] || wanted="$wanted nginx"
have haproxy || [ -x /usr/sbin/haproxy ] || wanted="$wanted haproxy"
have node || wanted="$wanted nodejs"
have npm || wanted="$wanted npm"
# For systemd-analyze, which reads the units; systemd itself need not run.
have systemd-analyze || wanted="$wanted systemd"

if [ "${2:-}" = engines ]; then
    have firefox-esr || have firefox || wanted="$wanted firefox-esr"
    have WebKitWebDriver || wanted="$wanted webkit2gtk-driver"
    have Xvfb || wanted="$wanted xvfb"
fi

if [ -n "$wanted" ]; then
    if [ "$(id -u)" = 0 ] && have apt-get; then
        echo "installing:$wanted"
        apt-get update -qq
        # shellcheck disable=SC2086
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $wanted fonts-dejavu-core >/dev/null
    else
        echo "missing, and not installable without root and apt-get:$wanted" >&2
        exit 1
    fi
fi
