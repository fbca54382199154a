#!/usr/bin/env bash
# Makes what procura.toml names and nobody can commit for you: an authority for this one run, a certificate for Procura
# and one for the suite. RSA, since one plan takes other keys for weak.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj "/O=Procura test/CN=Test authority" \
    -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign" \
    -keyout test-ca.key -out test-ca.pem

certify() {
    openssl req -newkey rsa:2048 -nodes -subj "/O=Procura test/CN=$2" -keyout "$1.key" -out "$1.csr"
    openssl x509 -req -in "$1.csr" -CA test-ca.pem -CAkey test-ca.key -CAcreateserial -days 365 -out "$1.pem" \
        -extfile <(printf 'subjectAltName=DNS:%s\nextendedKeyUsage=serverAuth\nbasicConstraints=critical,CA:FALSE\n' "$2")
    rm "$1.csr"
}

certify op op.procura.test
certify suite localhost.emobix.co.uk
