# Completion of lazyctl for bash. The words come from lazyctl itself, so they
# always agree with the program: `lazyctl help --words` prints a line for each
# command (its words, its options, the choices of its arguments) with '|'
# between them; an option that takes a value ends in '=' and its choices.

# Names of modules, where a server answers at once. Names of other characters
# are left out: compgen would expand what a shell can expand.
_lazyctl_modules()
{
    lazyctl "$@" --timeout 1 2>/dev/null |
        awk '$1 ~ /^[A-Za-z0-9_.]+$/ && $1 != "NAME" { print $1 }'
}

_lazyctl()
{
    local current=${COMP_WORDS[COMP_CWORD]} given="" words="" choices="" verbs=""
    local options="" line line_words line_options line_choices index word option
    local -a table server=()
    mapfile -t table < <(lazyctl help --words)

    # Options that take a value, to tell the values from the command's words.
    local valued=" -s -n "
    for word in ${table[*]//|/ }; do
        [[ $word == --*=* ]] && valued+="${word%%=*} "
    done
    for ((index = 1; index < COMP_CWORD; index++)); do
        word=${COMP_WORDS[index]}
        if [[ $valued == *" $word "* ]]; then
            case $word in
                -s | --socket | -n | --name) server=("$word" "${COMP_WORDS[index + 1]}") ;;
            esac
            option=$word
            ((index++))
            ((index == COMP_CWORD)) && break
            option=""
        elif [[ $word != -* ]]; then
            given+="${given:+ }$word"
        fi
    done
    [[ $given == "help "* ]] && given=${given#help }

    for line in "${table[@]}"; do
        IFS='|' read -r line_words line_options line_choices <<<"$line"
        if [[ -z $line_words ]]; then
            options+=" $line_options"
        elif [[ "$given " == "$line_words "* ]]; then
            words=$line_words
            options+=" $line_options"
            choices=$line_choices
        elif [[ -z $given || $given == help ]]; then
            verbs+=" ${line_words%% *}"
        elif [[ $line_words == "$given "* ]]; then
            verbs+=" ${line_words#"$given "}"
        fi
    done
    [[ $given == help ]] && words=""

    COMPREPLY=()
    if [[ -n ${option:-} ]]; then
        for word in $options; do
            [[ $word == "$option="?* ]] && choices=${word#*=} &&
                COMPREPLY=($(compgen -W "${choices//,/ }" -- "$current"))
        done
        [[ $option == @(-s|--socket|-o|--output|--file) ]] && COMPREPLY=($(compgen -f -- "$current"))
    elif [[ $current == -* ]]; then
        for word in $options; do
            COMPREPLY+=($(compgen -W "${word%%=*}" -- "$current"))
        done
    elif [[ -z $words ]]; then
        COMPREPLY=($(compgen -W "$(printf '%s\n' $verbs | sort -u)" -- "$current"))
    else
        case $words in
            load | warm | verify | unused) choices=$(_lazyctl_modules "${server[@]}" list --state proxies --match "$current*") ;;
            show | why | reload | rollback | confirm | drift) choices=$(_lazyctl_modules "${server[@]}" list --match "$current*") ;;
            "ignore save") COMPREPLY=($(compgen -f -- "$current")) ;;
        esac
        [[ -n $choices ]] && COMPREPLY=($(compgen -W "$choices" -- "$current"))
    fi
}

complete -F _lazyctl lazyctl
