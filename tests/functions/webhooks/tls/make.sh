#!/usr/bin/env bash
# Makes the certificates of the tests with OpenSSL 3; nothing else trusts them. The keys are public, as they lie here.
#   ca.pem                 a root that the tests trust
#   receiver.pem, .key     issued by it for receiver.example.com and 127.0.0.2
#   expired.pem            the same, valid on one day of 2020
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
for name in "$work/ca.key" receiver.key; do
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$name" 2> "$work/log"
done
touch "$work/index"
echo 10 > "$work/serial"
cat > "$work/ca.cnf" <<END
[ca]
default_ca = tests
[tests]
database = $work/index
serial = $work/serial
new_certs_dir = $work
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[receiver]
subjectAltName = DNS:receiver.example.com, IP:127.0.0.2
END
issue() { # out, extensions, key of the subject, its name, last day, further options
  openssl req -new -key "$3" -subj "/CN=$4" -out "$work/request.pem"
  openssl ca -batch -notext -config "$work/ca.cnf" -extensions "$2" -keyfile "$work/ca.key" -in "$work/request.pem" \
    -startdate 20200101000000Z -enddate "$5" -out "$1" "${@:6}" 2> "$work/log"
}
issue ca.pem root "$work/ca.key" "tests only" 21200101000000Z -selfsign
issue receiver.pem receiver receiver.key receiver.example.com 21200101000000Z -cert ca.pem
issue expired.pem receiver receiver.key receiver.example.com 20200102000000Z -cert ca.pem
