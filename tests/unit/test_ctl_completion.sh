#!/bin/bash
# ctl/completion.bash against the program: every command's words, options and
# choices are offered where they belong. Usage: FOLDER-OF-LAZYCTL COMPLETION
set -u
PATH=$1:$PATH
source "$2" || exit 1
unset LAZYD_SOCKET
failures=0 checks=0

# Complete the last of the given words.
offers()
{
    COMP_WORDS=(lazyctl "$@")
    COMP_CWORD=$#
    COMPREPLY=()
    _lazyctl
}

expect()
{
    local wanted=$1 reply
    shift
    ((++checks))
    offers "$@"
    for reply in "${COMPREPLY[@]}"; do
        [[ $reply == "$wanted" ]] && return
    done
    echo "after '$*': no '$wanted' in '${COMPREPLY[*]}'"
    ((++failures))
}

while IFS='|' read -r words options choices; do
    read -ra verb <<<"$words"
    ((${#verb[@]} > 0)) && expect "${verb[0]}" ""
    ((${#verb[@]} > 1)) && expect "${verb[1]}" "${verb[0]}" "" && expect "${verb[1]}" help "${verb[0]}" ""
    for option in $options; do
        expect "${option%%=*}" "${verb[@]}" "--"
        if [[ $option == *=?* ]]; then
            values=${option#*=}
            expect "${values%%,*}" "${verb[@]}" "${option%%=*}" ""
        fi
    done
    for choice in $choices; do
        expect "$choice" "${verb[@]}" "${choice:0:1}"
    done
done < <(lazyctl help --words)

# An option's value is no word of the command, and nothing is made up.
expect stats --name ping sta
offers ping ""
((${#COMPREPLY[@]} == 0)) || { echo "after 'ping': '${COMPREPLY[*]}'"; ((++failures)); }

echo "$checks completions, $failures wrong"
((checks > 40 && failures == 0))
