#!/bin/sh
# The complete balances of one account, with curl and openssl.
# Reads SPOTBOOK_URL (http://127.0.0.1:8080 by default), SPOTBOOK_API_KEY and SPOTBOOK_SECRET_KEY.
set -eu

url=${SPOTBOOK_URL:-http://127.0.0.1:8080}
: "${SPOTBOOK_API_KEY:?is not set}" "${SPOTBOOK_SECRET_KEY:?is not set}"

# MD5 over name=value pairs sorted by name, and the secret at the end; 32 upper-case hex digits.
# printf is part of the shell, and the body goes through a pipe: neither key nor secret is in the list of processes.
sign=$(printf 'api_key=%s&secret_key=%s' "$SPOTBOOK_API_KEY" "$SPOTBOOK_SECRET_KEY" |
    openssl dgst -md5 -r | cut -c 1-32 | tr a-f A-F)

printf 'api_key=%s&sign=%s' "$SPOTBOOK_API_KEY" "$sign" |
    curl --silent --show-error --max-time 10 --request POST \
        --header 'Content-Type: application/x-www-form-urlencoded' --data-binary @- \
        "$url/api/v1/private?command=returnCompleteBalances"
