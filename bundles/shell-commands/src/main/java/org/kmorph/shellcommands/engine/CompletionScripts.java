// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.engine;

import java.util.Collection;
import java.util.stream.Collectors;
import org.kmorph.api.command.CommandSpec;

/** Completion scripts. Each asks the daemon, falls back to the names of the commands, and leaves files to the shell. */
final class CompletionScripts {
    private CompletionScripts() {}

    static String of(String shell, Collection<CommandSpec> commands) {
        String script =
                switch (shell) {
                    case "bash" -> BASH;
                    case "zsh" -> ZSH;
                    case "fish" -> FISH;
                    default -> throw new IllegalArgumentException(shell);
                };
        String names = commands.stream().map(CommandSpec::name).collect(Collectors.joining("\n"));
        return script.replace("@COMMANDS@", names);
    }

    private static final String BASH =
            """
            # bash completion for kmorphctl
            __kmorphctl_commands='@COMMANDS@'

            # While no daemon answers: the next words of the commands that begin with the words typed.
            __kmorphctl_offline() {
                local typed="${COMP_WORDS[*]:1:COMP_CWORD-1}" name
                while IFS= read -r name; do
                    if [ -z "$typed" ]; then
                        printf '%s\\n' "${name%% *}"
                    elif [ "${name#"$typed "}" != "$name" ]; then
                        name=${name#"$typed "}
                        printf '%s\\n' "${name%% *}"
                    fi
                done <<< "$__kmorphctl_commands"
            }

            _kmorphctl() {
                local current words candidates
                # bash takes = for a word of its own; the daemon wants --option=value whole.
                current=${COMP_LINE:0:COMP_POINT}
                read -r -a words <<< "$current"
                [[ $current == *[[:space:]] ]] && words+=("")
                candidates=$("${COMP_WORDS[0]}" complete -- "${words[@]:1}" 2>/dev/null | cut -f1) ||
                    candidates=
                [ -n "$candidates" ] || candidates=$(__kmorphctl_offline)
                local last=${words[${#words[@]}-1]}
                mapfile -t COMPREPLY < <(compgen -W "$candidates" -- "$last")
                if [[ $last == *=* ]]; then
                    COMPREPLY=("${COMPREPLY[@]#"${last%%=*}="}")
                    [ ${#COMPREPLY[@]} -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- "${last#*=}")
                fi
                [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
                return 0
            }
            complete -o bashdefault -o default -F _kmorphctl kmorphctl
            """;

    private static final String ZSH =
            """
            #compdef kmorphctl
            # zsh completion for kmorphctl
            __kmorphctl_commands='@COMMANDS@'

            _kmorphctl() {
                local -a described
                local line value help typed name
                for line in ${(f)"$($words[1] complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)"}; do
                    value=${line%%$'\\t'*}
                    help=${line#*$'\\t'}
                    described+=("${value//:/\\\\:}:$help")
                done
                if (( $#described == 0 )); then
                    typed="${(j: :)words[2,CURRENT-1]}"
                    for name in ${(f)__kmorphctl_commands}; do
                        if [[ -z $typed ]]; then
                            described+=("${name%% *}")
                        elif [[ $name == "$typed "* ]]; then
                            name=${name#"$typed "}
                            described+=("${name%% *}")
                        fi
                    done
                fi
                if (( $#described )); then
                    _describe 'kmorphctl' described
                else
                    _files
                fi
            }
            compdef _kmorphctl kmorphctl
            """;

    private static final String FISH =
            """
            # fish completion for kmorphctl
            set -g __kmorphctl_commands '@COMMANDS@'

            function __kmorphctl_complete
                set -l words (commandline -opc)
                set -l current (commandline -ct)
                set -l answer (command $words[1] complete -- $words[2..-1] $current 2>/dev/null)
                if test (count $answer) -eq 0
                    set -l typed "$words[2..-1]"
                    for name in (string split \\n -- $__kmorphctl_commands)
                        if test -z "$typed"
                            set -a answer (string split -f1 ' ' -- $name)
                        else if string match -q -- "$typed *" $name
                            set -a answer (string split -f1 ' ' -- (string replace -- "$typed " '' $name))
                        end
                    end
                end
                if test (count $answer) -gt 0
                    printf '%s\\n' $answer
                else
                    __fish_complete_path $current
                end
            end
            complete -c kmorphctl -f -a '(__kmorphctl_complete)'
            """;
}
