#!/bin/bash
# Runs inside the machine that scripts/prove-package boots. Prints "ok …" or "not ok …" a line.
failed=0
check() { # check TEXT COMMAND...
    local text=$1
    shift
    if "$@" >/tmp/out 2>&1; then echo "ok $text"; else
        echo "not ok $text"
        sed 's/^/# /' /tmp/out
        failed=1
    fi
}
# within SECONDS COMMAND...
within() {
    local until=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $until ] || return 1
        sleep 0.2
    done
}
active() { systemctl is-active --quiet doorward; }
pid() { systemctl show -P MainPID doorward; }
status_line() { grep -P "^$1:\t$2\$" "/proc/$(pid)/status"; }
restarted() { [ "$(systemctl show -P NRestarts doorward)" -ge 1 ] && active; }
# inside COMMAND: from inside the gateway's own sandbox, as a line before ExecStart. No single quotes in it.
inside() {
    mkdir -p /run/systemd/system/doorward.service.d
    printf "[Service]\nExecStartPre=/bin/sh -c '%s'\n" "$1" >/run/systemd/system/doorward.service.d/inside.conf
    systemctl daemon-reload
    systemctl restart doorward
    local status=$?
    [ $status = 0 ] || journalctl --no-pager -o cat -n 20 -u doorward
    rm -r /run/systemd/system/doorward.service.d
    systemctl daemon-reload
    return $status
}
# What a time client does when it has the time: adjtimex with ADJ_MAXERROR, ADJ_ESTERROR and ADJ_STATUS, no STA_UNSYNC.
synchronise() { perl -e '$b = pack("L x4 q4 l x4 x160", 0x1c, 0, 0, 1000, 1000, 0); syscall(159, $b) >= 0 or die $!'; }
# `report` ends with 1 while faults stand; here it matters that the gateway answered. "$@": as whom.
reports() { "$@" doorward report --json >/tmp/report; grep -q '"version":' /tmp/report; }
as_helper() { reports runuser -u helper --; }
as_stranger() { ! reports runuser -u nobody --; }
online() { reports && grep -q '"open":true' /tmp/report; }
grants() { doorward events --json | grep '"granted"' | grep -q '"garage-door"'; }
journalled() { doorward events --json | grep -c '"granted"'; }
configure() { cat >/etc/doorward/doorward.toml; }
garage() { # garage CLOUD: a site with one reader on ttyS1
    configure <<SITE
[site]
id = "proof"
zone = "Europe/Madrid"
[cloud]
$1
[map.groups]
"Staff" = ["all"]
[[line]]
id = "bus"
path = "/dev/ttyS1"
kind = "wradapt"
[[line.reader]]
id = "garage"
door = "garage-door"
frame = "text"
[[door]]
id = "garage-door"
[[group]]
id = "all"
doors = ["garage-door"]
SITE
}

check 'it installs' dpkg -i /doorward.deb
check 'it starts and says that it is ready' within 30 active
check 'it runs as its own user' test "$(stat -c %U "/proc/$(pid)")" = doorward
check 'root may ask how it is' within 10 reports
useradd --groups doorward helper
check 'who is in the group doorward may' as_helper
check 'others may not' as_stranger
cp /etc/doorward/doorward.toml /shipped.toml
check 'the configuration that is shipped has no mistakes' doorward check-config
check 'system calls are filtered' status_line Seccomp 2
check 'it has no capabilities and gets none' status_line CapBnd 0000000000000000
check 'only it and root read its state' test "$(stat -c %a:%U /var/lib/doorward)" = 750:doorward
check 'its configuration is closed to others' test "$(stat -c %a:%U:%G /etc/doorward/doorward.toml)" = 640:root:doorward
check 'serial ports are open to it, disks, secrets and programs are not' inside \
    'timeout 5 sh -c ": <>/dev/ttyS1" && ! head -c1 /dev/vda && ! head -c1 /etc/shadow && ! touch /usr/x'
check 'an unsynchronised clock is not called synchronised' test ! -e /run/doorward-clock/synchronised
check 'the clock is synchronised' synchronise
check 'that is noticed' within 60 test -e /run/doorward-clock/synchronised
check 'the gateway can see it' inside 'test -e /run/doorward-clock/synchronised'
cat >/etc/doorward/facts.toml <<'FACTS'
[[people]]
id = "ada"
name = "Ada Ardley"
credentials = ["uid:04A2B3C4D5E680"]
groups = ["Staff"]
FACTS
garage 'kind = "file"
path = "facts.toml"'
check 'another configuration is put into force' systemctl reload doorward
check 'its serial line is open' within 30 online
check 'a card at the reader opens' within 60 grants
granted=$(journalled)
ring=$(stat -c %i /run/doorward)
check 'it can be killed' sh -c "kill -KILL $(pid)"
check 'it is back and ready' within 30 restarted
check 'what was granted before is in its journal' test "$(journalled)" -ge "$granted"
check 'the runtime directory survived' test "$(stat -c %i /run/doorward)" = "$ring"
check 'it stops' systemctl stop doorward
check 'the runtime directory survived the stop' test "$(stat -c %i /run/doorward)" = "$ring"
check 'it starts again' systemctl start doorward
mkdir -p /etc/systemd/system/doorward.service.d
garage 'kind = "contract"
url = "http://127.0.0.1:9"
token = { credential = "cloud-token" }'
check 'a secret that it was not given is missed' sh -c '! timeout 20 systemctl restart doorward'
(umask 077 && echo token-of-the-proof >/etc/doorward/secrets/cloud-token)
sed -n 's/^#\(LoadCredential=cloud-token:\)/[Service]\n\1/p' /lib/systemd/system/doorward.service \
    >/etc/systemd/system/doorward.service.d/token.conf
systemctl daemon-reload
check 'a secret by LoadCredential reaches it' systemctl restart doorward
check 'and it decides without that cloud' within 30 online
granted=$(journalled)
more() { test "$(journalled)" -gt "$granted"; }
check 'from the facts that it has' within 60 more
rm -r /etc/systemd/system/doorward.service.d
cp /shipped.toml /etc/doorward/doorward.toml
systemctl daemon-reload
check 'the configuration that is shipped again' systemctl restart doorward
echo kept >/var/lib/doorward/kept
check 'it can be removed' dpkg -r doorward
check 'it is stopped then' sh -c '! ls -l /proc/[0-9]*/exe 2>/dev/null | grep -q /usr/bin/doorward'
check 'data are left' test -s /var/lib/doorward/kept
check 'the configuration is left' test -s /etc/doorward/doorward.toml
check 'it installs again' dpkg -i /doorward.deb
check 'and runs on the data it left' within 30 active
check 'an upgrade in place keeps it running' dpkg -i /doorward.deb
check 'it is running' within 30 active
check 'it can be purged' dpkg -P doorward
check 'a purge deletes the data' test ! -e /var/lib/doorward
journalctl --no-pager -o cat -u doorward -u doorward-clock | tail -n 40 | sed 's/^/# /'
[ $failed = 0 ] && echo 'ok all'
sync
