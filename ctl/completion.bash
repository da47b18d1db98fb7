# Completion of lazyctl for bash. The words come from lazyctl itself, so they
# always agree with the program: `lazyctl help --words` prints a line for each
# command (words, its options, choices of its arguments) between tabs.

_lazyctl_modules()
{
    # Names of modules, where a server answers at once.
    local state=$1 socket=("${@:2}")
    lazyctl "${socket[@]}" --timeout 1 list ${state:+--state "$state"} \
        --match "${COMP_WORDS[COMP_CWORD]}*" 2>/dev/null |
        awk 'NR > 1 && $1 !~ /^\(/ { print $1 }'
}

_lazyctl()
{
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local words="" given="" candidates="" globals="" line_words line_options line_choices
    local -a server=()
    local index word skip=0

    # The command's words so far, without options and their values.
    for ((index = 1; index < COMP_CWORD; index++)); do
        word=${COMP_WORDS[index]}
        if ((skip)); then
            server+=("$word")
            skip=0
            continue
        fi
        case $word in
            -s | --socket | -n | --name) server+=("$word"); skip=1 ;;
            --timeout | --state | --match | --sort | --limit) ((index++)) ;;
            -*) ;;
            *) given+="${given:+ }$word" ;;
        esac
    done

    case $previous in
        -s | --socket) COMPREPLY=($(compgen -f -- "$current")); return ;;
        --state) COMPREPLY=($(compgen -W "proxies reals eager ignored existing lost" -- "$current")); return ;;
        --sort) COMPREPLY=($(compgen -W "name time memory order" -- "$current")); return ;;
        -n | --name | --timeout | --match | --limit) return ;;
    esac

    while IFS=$'\t' read -r line_words line_options line_choices; do
        if [[ -z $line_words ]]; then
            continue
        elif [[ "$given " == "$line_words "* ]]; then
            words=$line_words
            [[ $current == -* ]] && candidates=$line_options || candidates=$line_choices
        elif [[ -z $given ]]; then
            candidates+=" ${line_words%% *}"
        elif [[ $line_words == "$given "* ]]; then
            candidates+=" ${line_words#"$given "}"
        fi
    done < <(lazyctl help --words | sed 's/^\t/ \t/; s/\t\t/\t \t/; s/\t$/\t /')

    if [[ $current == -* ]]; then
        globals="--socket --name --json --timeout --help --version"
        candidates+=" $globals"
    fi
    case $words in
        load) [[ $current != -* ]] && candidates=$(_lazyctl_modules proxy "${server[@]}") ;;
        show | reload) [[ $current != -* ]] && candidates=$(_lazyctl_modules "" "${server[@]}") ;;
        "ignore save") [[ $current != -* ]] && COMPREPLY=($(compgen -f -- "$current")) && return ;;
    esac
    COMPREPLY=($(compgen -W "$candidates" -- "$current"))
}

complete -F _lazyctl lazyctl
