#!/usr/bin/env bash
# What a shell offers after `puckdrop …`: completion_test.sh PUCKDROP
set -uo pipefail  # a shell of a person does not end at the first command that fails
puckdrop=${1:?the binary}
# shellcheck disable=SC1090
source <("$puckdrop" completion bash)
wrong=0
offers() {
  local expected=$1
  shift
  COMP_WORDS=("$@")
  COMP_CWORD=$(($# - 1))
  COMPREPLY=()
  _puckdrop
  case " ${COMPREPLY[*]} " in
    *" $expected "*) ;;
    *) echo "after '$*' nobody offers '$expected', but: ${COMPREPLY[*]}" >&2; wrong=1 ;;
  esac
}
offers gate puckdrop ''
offers explain puckdrop ex
offers --readiness puckdrop status --
offers billing.charged_once puckdrop explain billing.
offers billing.charged_once puckdrop gate --check billing.ch
offers playback puckdrop run --path pl
offers check puckdrop plan ''
offers coverage puckdrop plan cov
offers json puckdrop status --output ''
offers bash puckdrop completion ''
COMP_WORDS=(puckdrop gate --customer '') COMP_CWORD=3
_puckdrop
[ ${#COMPREPLY[@]} -eq 0 ] || { echo "a customer cannot be guessed, and yet: ${COMPREPLY[*]}" >&2; wrong=1; }
if command -v zsh >/dev/null 2>&1; then
  zsh -fc 'autoload -U +X compinit && compinit -u; source <('"$puckdrop"' completion zsh); (( $+functions[_puckdrop] ))' ||
    { echo "zsh does not take its script" >&2; wrong=1; }
fi
exit "$wrong"
